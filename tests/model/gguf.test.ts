import { expect, test } from 'vitest';
import {
  dequantize,
  ModelError,
  openModel,
  tensorTypes,
  weightTypes,
} from '../../src/model/index.ts';
import { put, temporaryFolder } from './files.ts';
import { type GgufContent, type GgufValue, writeGguf } from './ggufWriter.ts';
import { makeTinyGguf, type TinyModel, tinyContent } from './tinyGguf.ts';

const folder = temporaryFolder();

async function open(bytes: Uint8Array) {
  const model = await openModel(put(folder, 'model.gguf', bytes));
  await model.close();
  return model;
}

/** The message that a changed tiny model is refused with. */
async function refusal(change: (content: GgufContent) => void, shape: TinyModel = {}) {
  const content = structuredClone(tinyContent(shape)) as GgufContent;
  change(content);
  return refusalOf(writeGguf(content));
}

async function refusalOf(bytes: Uint8Array): Promise<string> {
  const error = await open(bytes).catch((error) => error);
  expect(error).toBeInstanceOf(ModelError);
  expect(error.message).not.toContain('\n');
  return error.message;
}

test.each(tensorTypes)('a model in %s opens with its shape', async (type) => {
  const shape = { type, dim: 256, hidden: 512, heads: 8, kvHeads: 2, layers: 3, vocab: 330 };
  const { config, tensors } = await open(makeTinyGguf(shape));
  expect(config).toMatchObject({ dim: 256, hiddenDim: 512, layers: 3, heads: 8, kvHeads: 2 });
  expect(config).toMatchObject({ headDim: 32, ropeDim: 32, vocabSize: 330, tiedEmbeddings: true });
  expect(tensors.layers).toHaveLength(3);
  expect(tensors.layers[2].key).toMatchObject({ type, rows: 64, columns: 256 });
  expect(tensors.layers[2].down).toMatchObject({ type, rows: 256, columns: 512 });
  expect(tensors.output).toBeUndefined();
});

test('rows read alone are the rows of the whole tensor', async () => {
  const path = put(folder, 'rows.gguf', makeTinyGguf({ type: 'Q8_0', tied: false }));
  const model = await openModel(path);
  const { output } = model.tensors;
  const whole = await output!.read();
  expect(whole).toHaveLength(320 * (64 / 32) * 34);
  expect(await output!.readRows(7, 3)).toEqual(whole.slice(7 * 68, 10 * 68));
  await model.close();
});

test.each(tensorTypes)(
  'a value or scale in %s that is not finite is refused when it is read',
  async (type) => {
    for (const { at, kind } of weightTypes[type].floats) {
      const content = tinyContent({ type, dim: 256, hidden: 256 });
      const { bytes, shape } = content.tensors.find(({ name }) => name === 'blk.1.ffn_up.weight')!;
      const layout = weightTypes[type];
      const row = 5;
      const block = ((row * shape[0]) / layout.block) * layout.bytes;
      bytes.set({ f16: [0, 0x7c], f32: [0, 0, 0x80, 0x7f], bf16: [0x80, 0xff] }[kind], block + at);
      const values = new Float32Array(layout.block);
      dequantize(type, bytes.subarray(block, block + layout.bytes), values);
      expect(values.every(Number.isFinite)).toBe(false); // a float of the block is what was hit

      const model = await openModel(put(folder, 'infinite.gguf', writeGguf(content)));
      const { up, gate } = model.tensors.layers[1];
      await expect(gate.read()).resolves.toHaveLength(gate.bytes);
      await expect(up.readRows(0, row)).resolves.toHaveLength((up.bytes / up.rows) * row);
      await expect(up.readRows(row, 1)).rejects.toThrow(/ffn_up\.weight, row 5, column 0: found/);
      await expect(up.read()).rejects.toThrow(ModelError);
      await model.close();
    }
  },
);

test('version 2 is read like version 3', async () => {
  const content = tinyContent();
  expect((await open(writeGguf({ ...content, version: 2 }))).config.dim).toBe(64);
});

const u32 = (value: number): GgufValue => ({ type: 'u32', value });
const text = (value: string): GgufValue => ({ type: 'string', value });

/** Changed metadata entry → what the message must name. */
const wrongMetadata: [key: string, value: GgufValue | undefined, message: RegExp][] = [
  ['general.architecture', text('mamba'), /general\.architecture: found "mamba", expected "llama"/],
  ['general.architecture', undefined, /general\.architecture: found nothing/],
  ['general.alignment', u32(24), /general\.alignment: found 24, expected a power of two/],
  ['llama.block_count', u32(3), /tensor blk\.2\.attn_norm\.weight: found nothing/],
  ['llama.block_count', u32(1), /tensor "blk\.1\..*does not use/],
  ['llama.block_count', u32(4e9), /llama\.block_count: found 4000000000, expected .* 1024/],
  ['llama.block_count', text('two'), /llama\.block_count: found the string "two"/],
  ['llama.embedding_length', u32(0), /llama\.embedding_length: found 0/],
  ['llama.embedding_length', undefined, /llama\.embedding_length: found nothing/],
  ['llama.attention.head_count', u32(6), /head_count: found 6, expected a divisor/],
  ['llama.attention.head_count_kv', u32(3), /head_count_kv: found 3, expected a divisor/],
  ['llama.attention.head_count_kv', u32(4), /blk\.0\.attn_k\.weight shape: found \[64, 32\]/],
  ['llama.rope.dimension_count', u32(15), /dimension_count: found 15, expected an even/],
  ['llama.rope.dimension_count', u32(32), /dimension_count: found 32/],
  ['llama.attention.layer_norm_rms_epsilon', { type: 'f32', value: Number.NaN }, /epsilon.*NaN/],
  ['llama.rope.freq_base', { type: 'f32', value: Number.POSITIVE_INFINITY }, /freq_base.*Infinity/],
  ['llama.attention.sliding_window', u32(512), /sliding_window: found u32 512/],
  ['llama.expert_count', u32(8), /llama\.expert_count: found u32 8/],
  ['llama.some_new_thing', u32(1), /llama\.some_new_thing.*could change the results/],
  ['split.count', { type: 'i32', value: 2 }, /file name: found .* one of 2 parts/],
  ['llama.vocab_size', u32(321), /llama\.vocab_size: found 321, expected 320/],
  ['tokenizer.ggml.model', text('t5'), /tokenizer\.ggml\.model: found "t5"/],
  ['tokenizer.ggml.pre', text('klingon'), /tokenizer\.ggml\.pre: found "klingon".*it is unknown/],
  ['tokenizer.ggml.pre', text('kimi-k2'), /found "kimi-k2", which is not supported: its rule/],
  [
    'tokenizer.ggml.merges',
    { type: 'strings', value: ['ab'] },
    /merges\[0\]: found "ab", expected two pieces/,
  ],
  ['tokenizer.ggml.bos_token_id', u32(320), /bos_token_id: found 320/],
  ['tokenizer.ggml.merges', undefined, /tokenizer\.ggml\.merges: found nothing/],
  ['tokenizer.ggml.tokens', u32(1), /tokenizer\.ggml\.tokens: found u32 1/],
  [
    'tokenizer.ggml.tokens',
    { type: 'strings', value: Array.from({ length: 320 }, (_, i) => `piece${i}`) },
    /tokenizer\.ggml\.tokens: found no piece for "\\n" and 95 more, expected/,
  ],
  ['tokenizer.ggml.token_type', { type: 'i32s', value: [1, 2] }, /token_type: found 2 elements/],
];

test.each(wrongMetadata)('%s as %o is refused', async (key, value, message) => {
  const found = await refusal(({ metadata }) => {
    if (value === undefined) delete metadata[key];
    else metadata[key] = value;
  });
  expect(found).toMatch(message);
});

test('all reasons are said at once, the architecture first', async () => {
  const { metadata, tensors } = structuredClone(tinyContent()) as GgufContent;
  metadata['general.architecture'] = text('mamba');
  metadata['tokenizer.ggml.pre'] = text('klingon');
  metadata['tokenizer.chat_template'] = text('{{ strftime_now("%Y") }}');
  const quantized = tensors.map((tensor, i) =>
    i < 3 ? { ...tensor, type: 10 + (i & 1) } : tensor,
  );
  const message = await refusalOf(writeGguf({ metadata, tensors: quantized }));
  const parts = [
    'model.gguf: general.architecture: found "mamba", expected "llama".*',
    'tokenizer.ggml.pre: found "klingon".*',
    'tensor types: found 2 of Q2_K, 1 of Q3_K, expected F32.*',
    'tokenizer.chat_template: found it leaves out what is said, .*',
    'take a model of one of these, such as Llama 3.2',
  ];
  expect(message).toMatch(new RegExp(parts.join('; ')));
  expect(message).not.toContain('another quantization');
});

test('scores that are no numbers are refused', async () => {
  const change = ({ metadata }: GgufContent) => {
    const scores = Array.from({ length: 320 }, (_, i) => (i === 300 ? Number.NaN : 0));
    metadata['tokenizer.ggml.scores'] = { type: 'f32s', value: scores };
  };
  expect(await refusal(change, { tokenizer: 'spm' })).toMatch(/scores\[300\]: found NaN/);
});

test('a repeated piece is refused', async () => {
  const message = await refusal(({ metadata }) => {
    const tokens = metadata['tokenizer.ggml.tokens'] as Extract<GgufValue, { type: 'strings' }>;
    tokens.value = tokens.value.with(9, tokens.value[8]);
  });
  expect(message).toMatch(/tokens\[9\]: found .* token 8 too/);
});

/** Changed tensor → what the message must name. */
const wrongTensors: [what: string, change: (content: GgufContent) => void, message: RegExp][] = [
  [
    'an unknown type',
    ({ tensors }) => {
      tensors[0].type = 77;
    },
    /tensor types: found 1 of unknown type 77, expected F32, F16/,
  ],
  [
    'an unsupported type',
    ({ tensors }) => {
      tensors[0].type = 10;
    },
    /tensor types: found 1 of Q2_K, expected.*another quantization/,
  ],
  [
    'a repeated name',
    ({ tensors }) => {
      tensors[2].name = tensors[0].name;
    },
    /"token_embd\.weight": found the name a second time/,
  ],
  [
    'a dimension of zero',
    ({ tensors }) => {
      tensors[0].shape = [64, 0];
    },
    /"token_embd\.weight" dimension 1: found 0/,
  ],
  [
    'dimensions whose product is beyond any file',
    ({ tensors }) => {
      tensors[0].shape = [2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1];
    },
    /"token_embd\.weight" size/,
  ],
  [
    'a size that overlaps the next tensor',
    ({ tensors }) => {
      tensors[2].shape = [64, 65];
    },
    /offset: found .* tensors overlap/,
  ],
  [
    'five dimensions',
    ({ tensors }) => {
      tensors[0].shape = [64, 320, 1, 1, 1];
    },
    /dimensions: found 5, expected 1 to 4/,
  ],
  [
    'another shape',
    ({ tensors }) => {
      tensors[0].shape = [320, 64];
    },
    /token_embd\.weight shape: found \[320, 64\], expected \[64, 320\]/,
  ],
  [
    'a norm that is not finite',
    ({ tensors }) => {
      tensors[1].bytes.fill(0xff, 8, 12);
    },
    /output_norm\.weight, row 0, column 2: found .* no number/,
  ],
];

test.each(wrongTensors)('%s is refused', async (_, change, message) => {
  expect(await refusal(change)).toMatch(message);
});

test('a truncated and an oversized file are refused', async () => {
  const bytes = makeTinyGguf();
  expect(await refusalOf(bytes.slice(0, -1))).toMatch(/end: found byte .*truncated/);
  expect(await refusalOf(bytes.slice(0, 100))).toMatch(/the end of the file.*truncated/);
  expect(await refusalOf(Buffer.concat([bytes, Buffer.alloc(64)]))).toMatch(/file size.*at most/);
  expect(await refusalOf(new Uint8Array(0))).toMatch(/file size: found 0 bytes/);
});

test('counts and lengths beyond the file are refused before anything is made of them', async () => {
  const bytes = Buffer.from(makeTinyGguf());
  const broken = (at: number, value: bigint) => {
    const copy = Buffer.from(bytes);
    copy.writeBigUInt64LE(value, at);
    return refusalOf(copy);
  };
  expect(await broken(8, 2n ** 63n)).toMatch(/tensor_count: found 9223372036854775808/);
  expect(await broken(16, 2n ** 40n)).toMatch(/metadata_kv_count: found 1099511627776/);
  expect(await broken(24, 2n ** 62n)).toMatch(/metadata entry 0 key: found 4611686018427387904/);
  const count = bytes.indexOf('tokenizer.ggml.tokens') + 'tokenizer.ggml.tokens'.length + 8;
  expect(await broken(count, 2n ** 32n)).toMatch(/tokenizer\.ggml\.tokens: found 4294967296/);
});

test('other files are refused by what they are', async () => {
  const bytes = Buffer.from(makeTinyGguf());
  bytes.writeUInt32BE(3, 4);
  expect(await refusalOf(bytes)).toMatch(/version: found 50331648.*big endian/);
  bytes.writeUInt32LE(1, 4);
  expect(await refusalOf(bytes)).toMatch(/version: found 1, expected 2 or 3/);
  expect(await refusalOf(Buffer.from('PK\x03\x04 a zip file, perhaps a wheel'))).toMatch(/header/);
  await expect(openModel(folder)).rejects.toThrow(/found a folder or device/);
  await expect(openModel(`${folder}/none`)).rejects.toThrow(/found nothing at this path/);
});
