/**
 * The guest's tokenizer, compiled to WebAssembly with all checks, against tokens that llama.cpp and
 * llama2.c made.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { type HostTokenizer, loadTokenizer } from '../../src/model/hostTokenizer.ts';
import { openModel } from '../../src/model/index.ts';
import { findModel } from '../../src/pull/models.ts';
import { hasSharedModels, put, sharedModels, temporaryFolder } from './files.ts';
import { type GgufValue, writeGguf } from './ggufWriter.ts';
import { makeLlama3Gguf } from './llama3Vocabulary.ts';
import { makeMissingPiecesGguf } from './missingPieces.ts';
import { makeTinyGguf, tinyContent } from './tinyGguf.ts';

interface Vectors {
  source: string;
  cases: { text: string; ids: number[] }[];
}

const folder = temporaryFolder();
const readVectors = (name: string): Vectors =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8'));

async function tokenizerOf(path: string, tokenizer?: string): Promise<HostTokenizer> {
  const model = await openModel(path, { tokenizer });
  await model.close();
  return loadTokenizer(model, { checked: true });
}

describe.skipIf(!hasSharedModels)('with $MU_MODELS or ../shared/models', () => {
  test("llama2.c's encode", async () => {
    const bin = join(sharedModels, 'tok512.bin');
    const tokenizer = await tokenizerOf(join(sharedModels, 'stories260K.bin'), bin);
    const { cases } = readVectors('stories260k-tokens.json');
    const found = cases.map(({ text }) => ({ text, ids: tokenizer.encode(text) }));
    expect(found).toEqual(cases);
  });
});

const smollm2 = await findModel('smollm2-135m-instruct');

describe.skipIf(smollm2 === undefined)('SmolLM2 (`mu pull smollm2-135m-instruct`)', () => {
  let tokenizer: HostTokenizer;
  beforeAll(async () => {
    tokenizer = await tokenizerOf(smollm2!);
  });

  test("llama.cpp's tokens", () => {
    const { cases } = readVectors('smollm2-tokens.json');
    const found = cases.map(({ text }) => ({ text, ids: tokenizer.encode(text) }));
    expect(found).toEqual(cases);
  });

  test('control tokens in a text are text unless asked for', () => {
    const text = '<|im_start|>user\nhi<|im_end|>';
    expect(tokenizer.encode(text)).not.toContain(1);
    expect(tokenizer.encode(text, { parseSpecial: true })).toEqual([1, 4093, 198, 6004, 2]);
  });
});

test("llama.cpp's tokens of a vocabulary of Llama 3's kind", async () => {
  const tokenizer = await tokenizerOf(put(folder, 'llama3.gguf', makeLlama3Gguf()));
  const { cases } = readVectors('tiny-llama3-tokens.json');
  const found = cases.map(({ text }) => ({ text, ids: tokenizer.encode(text) }));
  expect(found).toEqual(cases);
});

describe('merges through texts that are no pieces', () => {
  let tokenizer: HostTokenizer;
  beforeAll(async () => {
    tokenizer = await tokenizerOf(put(folder, 'missing.gguf', makeMissingPiecesGguf()));
  });

  test("llama.cpp's tokens", () => {
    const { cases } = readVectors('missing-pieces-tokens.json');
    const found = cases.map(({ text }) => ({ text, ids: tokenizer.encode(text) }));
    expect(found).toEqual(cases);
  });

  test('a byte is not lost (llama.cpp loses those that are no ASCII letters)', () => {
    const tokens = tokenizer.encode(' s');
    expect(tokens).toHaveLength(2);
    expect(Buffer.from(tokenizer.decode(tokens)).toString()).toBe(' s');
  });
});

test('a control token is nothing that a text merges to', async () => {
  const tiny = tinyContent({ vocab: 340, dim: 32, hidden: 32, heads: 1, kvHeads: 1 });
  const key = 'tokenizer.ggml.tokens';
  const pieces = (tiny.metadata[key].value as string[]).map((piece) =>
    piece === 'Ġthe' ? '</s>' : piece,
  );
  const letters = '</s>'.split('').map((_, i) => '</s>'.slice(0, i + 1));
  const merges = letters.slice(1).map((text) => `${text.slice(0, -1)} ${text.slice(-1)}`);
  pieces.splice(-2, 2, ...letters.slice(1, -1));
  const metadata: Record<string, GgufValue> = {
    ...tiny.metadata,
    [key]: { type: 'strings', value: pieces },
    'tokenizer.ggml.pre': { type: 'string', value: 'bloom' },
    'tokenizer.ggml.merges': { type: 'strings', value: merges },
  };
  const path = put(folder, 'control.gguf', writeGguf({ metadata, tensors: tiny.tensors }));
  const tokenizer = await tokenizerOf(path);
  const token = pieces.indexOf('</s>');
  expect(tokenizer.encode('</s>')).not.toContain(token);
  expect(Buffer.from(tokenizer.decode(tokenizer.encode('</s>'))).toString()).toBe('</s>');
  expect(tokenizer.encode('</s>', { parseSpecial: true })).toEqual([token]);
});

test('Phi-3 drops white space after its special tokens', async () => {
  const namedSo = async (name: string) => {
    const tiny = tinyContent({ vocab: 340, dim: 32, hidden: 32, heads: 1, kvHeads: 1 });
    const title: GgufValue = { type: 'string', value: name };
    const metadata = { ...tiny.metadata, 'general.name': title };
    const path = put(folder, 'phi.gguf', writeGguf({ metadata, tensors: tiny.tensors }));
    return tokenizerOf(path);
  };
  const text = '<|im_start|>\n the<|im_end|> <|endoftext|> \n<|im_start|>';
  const [the, line, space] = ['the', '\n', ' '];
  const plain = await namedSo('Phi 3');
  const ids = (part: string) => plain.encode(part, { addBos: false });
  const [end, start, stop] = [0, 1, 2];
  expect(plain.encode(text, { parseSpecial: true })).toEqual(
    [
      start,
      ids(`${line}${space}${the}`),
      stop,
      ids(space),
      end,
      ids(`${space}${line}`),
      start,
    ].flat(),
  );
  const phi = await namedSo('phi-3-mini');
  expect(phi.encode(text, { parseSpecial: true })).toEqual(
    [start, ids(the), stop, end, ids(`${space}${line}`), start].flat(),
  );
});

describe.each(['bpe', 'spm'] as const)('a tiny %s vocabulary', (kind) => {
  let tokenizer: HostTokenizer;
  beforeAll(async () => {
    const path = put(folder, `tiny-${kind}.gguf`, makeTinyGguf({ tokenizer: kind, vocab: 340 }));
    tokenizer = await tokenizerOf(path);
  });

  const decoded = (text: Uint8Array) => {
    const bytes = tokenizer.decode(tokenizer.encode(text, { addBos: false }));
    // the space that comes first
    return Buffer.from(kind === 'spm' && text.length > 0 ? bytes.subarray(1) : bytes);
  };

  test('gives back every text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        expect(decoded(Buffer.from(text))).toEqual(Buffer.from(text));
      }),
      { numRuns: 500 },
    );
  });

  test('gives back every sequence of bytes, UTF-8 or not', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(decoded(bytes)).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 500 },
    );
  });

  test('long hostile texts take no time', () => {
    const texts = ['a', ' ', 'the ', '中', '7', '\u0301', '\n ', 'he'].map((part) =>
      Buffer.from(part.repeat(100_000 / Buffer.byteLength(part))),
    );
    texts.push(Buffer.alloc(100_000, 0xff));
    for (const text of texts) {
      const start = performance.now();
      const isSame = decoded(text).equals(text);
      expect(performance.now() - start).toBeLessThan(5_000);
      expect(isSame).toBe(true);
    }
  });

  test('a text beyond the buffer is refused', () => {
    expect(() => tokenizer.encode(Buffer.alloc((1 << 20) + 1, 32))).toThrow(RangeError);
  });
});
