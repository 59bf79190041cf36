import type { LayerTensors, Model, ModelConfig, ModelTensors, Tensor } from '../model.ts';
import { quote } from '../modelError.ts';
import type { ModelFile } from '../modelFile.ts';
import { makeTensor } from '../tensorReader.ts';
import { type GgufHeader, readGgufHeader, type TensorInfo } from './header.ts';
import { checkForeignKeys } from './keys.ts';
import type { Metadata } from './metadata.ts';
import { readVocabulary } from './vocabulary.ts';

const MAX_WIDTH = 1 << 20;
const MAX_LAYERS = 1024;

/** A GGUF file of architecture `llama`. */
export async function openGguf(file: ModelFile): Promise<Model> {
  const header = readGgufHeader(file);
  const { metadata } = header;
  const architecture = metadata.text('general.architecture');
  if (architecture !== 'llama') {
    throw metadata.error(
      'general.architecture',
      architecture === undefined ? 'nothing' : quote(architecture),
      '"llama"',
      'only models of the Llama family are supported',
    );
  }
  checkForeignKeys(metadata);
  const tokenizer = readVocabulary(metadata);
  const config = readConfig(header, tokenizer.pieces.length);
  const tensors = collectTensors(file, header, config);
  for (const norm of norms(tensors)) await norm.read(); // few, and they enter every value: checked at once
  return {
    name: metadata.text('general.name') ?? file.name,
    path: file.path,
    format: 'gguf',
    architecture: 'llama',
    fileBytes: file.bytes,
    config,
    tensors,
    tokenizer,
    chatTemplate: metadata.text('tokenizer.chat_template'),
    close: () => file.close(),
  };
}

function readConfig({ metadata, tensors }: GgufHeader, pieces: number): ModelConfig {
  const width = { min: 1, max: MAX_WIDTH };
  const dim = metadata.integer('llama.embedding_length', width);
  const heads = metadata.integer('llama.attention.head_count', { min: 1, max: 65536 });
  const kvHeads = metadata.integer('llama.attention.head_count_kv', {
    min: 1,
    max: 65536,
    fallback: heads,
  });
  if (heads % kvHeads !== 0) {
    throw metadata.error(
      'llama.attention.head_count_kv',
      String(kvHeads),
      `a divisor of the ${heads} heads`,
    );
  }
  const headDim = readHeadDim(metadata, dim, heads);
  const ropeDim = metadata.integer('llama.rope.dimension_count', {
    min: 2,
    max: headDim,
    fallback: headDim,
  });
  if (ropeDim % 2 !== 0) {
    throw metadata.error('llama.rope.dimension_count', String(ropeDim), 'an even number');
  }
  const vocabSize = metadata.integer('llama.vocab_size', {
    min: 1,
    max: 1 << 22,
    fallback: pieces,
  });
  if (vocabSize !== pieces) {
    throw metadata.error(
      'llama.vocab_size',
      String(vocabSize),
      `${pieces}, the length of tokenizer.ggml.tokens`,
    );
  }
  return {
    dim,
    hiddenDim: metadata.integer('llama.feed_forward_length', width),
    layers: metadata.integer('llama.block_count', { min: 1, max: MAX_LAYERS }),
    heads,
    kvHeads,
    headDim,
    vocabSize,
    contextLength: metadata.integer('llama.context_length', { min: 1, max: 2 ** 31 - 1 }),
    normEpsilon: metadata.float('llama.attention.layer_norm_rms_epsilon', { min: 1e-12, max: 1 }),
    ropeBase: metadata.float('llama.rope.freq_base', { min: 1, max: 1e12, fallback: 10000 }),
    ropeDim,
    ropeStyle: 'interleaved',
    tiedEmbeddings: !tensors.has('output.weight'),
  };
}

function readHeadDim(metadata: Metadata, dim: number, heads: number): number {
  const isGiven = metadata.has('llama.attention.key_length');
  if (!isGiven && dim % heads !== 0) {
    throw metadata.error(
      'llama.attention.head_count',
      String(heads),
      `a divisor of llama.embedding_length ${dim}`,
    );
  }
  const rule = { min: 2, max: 65536 };
  const keyLength = isGiven
    ? metadata.integer('llama.attention.key_length', rule)
    : Math.floor(dim / heads);
  const valueLength = metadata.integer('llama.attention.value_length', {
    ...rule,
    fallback: keyLength,
  });
  if (keyLength !== valueLength || keyLength < 2 || keyLength % 2 !== 0) {
    throw metadata.error(
      'llama.attention.key_length',
      `${keyLength} for keys and ${valueLength} for values`,
      'the same even length for both',
    );
  }
  return keyLength;
}

/** Every tensor that the architecture needs, with the shape that the configuration gives it, and no other. */
function collectTensors(file: ModelFile, header: GgufHeader, config: ModelConfig): ModelTensors {
  const { metadata } = header;
  const left = new Map<string, TensorInfo>(header.tensors);
  const take = (name: string, rows: number, columns: number): Tensor => {
    const info = left.get(name);
    const field = `tensor ${name}`;
    if (info === undefined) throw metadata.error(field, 'nothing', `${rows} × ${columns} values`);
    left.delete(name);
    const [foundColumns, foundRows = 1, ...rest] = info.shape;
    const flat = rest.every((size) => size === 1);
    if (foundColumns !== columns || foundRows !== rows || !flat) {
      throw metadata.error(
        `${field} shape`,
        `[${info.shape.join(', ')}]`,
        `[${columns}, ${rows}] from the configuration`,
      );
    }
    return makeTensor(file, name, info.type, rows, columns, info.offset);
  };
  const takeNorm = (name: string): Tensor => {
    const tensor = take(name, 1, config.dim);
    if (tensor.type !== 'F32') throw metadata.error(`tensor ${name} type`, tensor.type, 'F32');
    return tensor;
  };
  const { dim, hiddenDim, vocabSize } = config;
  const queryDim = config.heads * config.headDim;
  const kvDim = config.kvHeads * config.headDim;
  const takeLayer = (_: unknown, index: number): LayerTensors => {
    const name = (part: string) => `blk.${index}.${part}.weight`;
    return {
      attentionNorm: takeNorm(name('attn_norm')),
      query: take(name('attn_q'), queryDim, dim),
      key: take(name('attn_k'), kvDim, dim),
      value: take(name('attn_v'), kvDim, dim),
      attentionOutput: take(name('attn_output'), dim, queryDim),
      ffnNorm: takeNorm(name('ffn_norm')),
      gate: take(name('ffn_gate'), hiddenDim, dim),
      up: take(name('ffn_up'), hiddenDim, dim),
      down: take(name('ffn_down'), dim, hiddenDim),
    };
  };
  const tensors: ModelTensors = {
    embedding: take('token_embd.weight', vocabSize, dim),
    outputNorm: takeNorm('output_norm.weight'),
    layers: Array.from({ length: config.layers }, takeLayer),
  };
  if (!config.tiedEmbeddings) tensors.output = take('output.weight', vocabSize, dim);
  for (const name of left.keys()) {
    throw metadata.error(
      `tensor ${quote(name)}`,
      'a tensor that this architecture does not use',
      'the tensors of a Llama model',
      'ignoring it would change the results; take a plain Llama model',
    );
  }
  return tensors;
}

function norms(tensors: ModelTensors): Tensor[] {
  return [
    tensors.outputNorm,
    ...tensors.layers.flatMap((layer) => [layer.attentionNorm, layer.ffnNorm]),
  ];
}
