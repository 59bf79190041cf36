/**
 * Llama models of any shape with random weights: the file's metadata and its tensors, whose bytes are drawn one after the other
 * when somebody writes them, so a model need not fit into memory.
 */
import { blockLayouts, type TensorType } from '../../src/model/index.ts';
import type { GgufTensor, GgufValue } from './ggufWriter.ts';
import { byteVocabulary, sentenceVocabulary } from './tinyVocabulary.ts';

export interface RandomModel {
  name: string;
  dim: number;
  layers: number;
  heads: number;
  kvHeads: number;
  hidden: number;
  /** At least 300. */
  vocab: number;
  context: number;
  /** Type of every matrix; norms are F32. */
  type: TensorType;
  /** Types of the matrices in turn, in place of one. */
  types?: readonly TensorType[];
  /** Type of the matrix that gives the logits, which is the embedding where they are tied. Default: as the others. */
  outputType?: TensorType;
  tokenizer: 'bpe' | 'spm';
  /** The output matrix is the embedding. */
  tied: boolean;
  seed: number;
  /** Default: 10,000. */
  ropeBase?: number;
}

/** A tensor whose bytes are still to be drawn: each once, in the model's order, or other bytes come out. */
export interface RandomTensor extends Omit<GgufTensor, 'bytes'> {
  bytes: { length: number };
  draw(): Uint8Array;
}

const typeNumbers: Record<TensorType, number> = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q4_1: 3,
  Q8_0: 8,
  Q6_K: 14,
  BF16: 30,
};

/** The same model and seed always give the same bytes. Throws if a row is no whole number of the type's blocks. */
export function randomGguf(model: RandomModel): {
  metadata: Record<string, GgufValue>;
  tensors: RandomTensor[];
} {
  const { dim, layers, heads, kvHeads, hidden, vocab, tied, outputType } = model;
  const { types = [model.type] } = model;
  const random = randomSource(model.seed);
  const kvDim = (dim / heads) * kvHeads;
  let made = 0;
  const matrix = (
    name: string,
    rows: number,
    columns: number,
    other?: TensorType,
  ): RandomTensor => {
    const inTurn = types[made++ % types.length];
    const type = other ?? inTurn;
    return {
      name: `${name}.weight`,
      shape: [columns, rows],
      type: typeNumbers[type],
      bytes: { length: rows * rowBytes(name, type, columns) },
      draw: () => randomMatrix(type, rows * columns, 2 / Math.sqrt(columns), random),
    };
  };
  const norm = (name: string): RandomTensor => ({
    name: `${name}.weight`,
    shape: [dim],
    type: typeNumbers.F32,
    bytes: { length: 4 * dim },
    draw: () => new Uint8Array(Float32Array.from({ length: dim }, () => 0.5 + random()).buffer),
  });
  const layer = (_: unknown, i: number) => [
    norm(`blk.${i}.attn_norm`),
    matrix(`blk.${i}.attn_q`, dim, dim),
    matrix(`blk.${i}.attn_k`, kvDim, dim),
    matrix(`blk.${i}.attn_v`, kvDim, dim),
    matrix(`blk.${i}.attn_output`, dim, dim),
    norm(`blk.${i}.ffn_norm`),
    matrix(`blk.${i}.ffn_gate`, hidden, dim),
    matrix(`blk.${i}.ffn_up`, hidden, dim),
    matrix(`blk.${i}.ffn_down`, dim, hidden),
  ];
  const u32 = (value: number): GgufValue => ({ type: 'u32', value });
  return {
    metadata: {
      'general.architecture': { type: 'string', value: 'llama' },
      'general.name': { type: 'string', value: model.name },
      'llama.block_count': u32(layers),
      'llama.context_length': u32(model.context),
      'llama.embedding_length': u32(dim),
      'llama.feed_forward_length': u32(hidden),
      'llama.attention.head_count': u32(heads),
      'llama.attention.head_count_kv': u32(kvHeads),
      'llama.attention.layer_norm_rms_epsilon': { type: 'f32', value: 1e-5 },
      'llama.rope.freq_base': { type: 'f32', value: model.ropeBase ?? 10000 },
      'llama.rope.dimension_count': u32(dim / heads),
      ...(model.tokenizer === 'bpe' ? byteVocabulary(vocab) : sentenceVocabulary(vocab)),
    },
    tensors: [
      matrix('token_embd', vocab, dim, tied ? outputType : undefined),
      norm('output_norm'),
      ...Array.from({ length: layers }, layer).flat(),
      ...(tied ? [] : [matrix('output', vocab, dim, outputType)]),
    ],
  };
}

function rowBytes(name: string, type: TensorType, columns: number): number {
  const { values, bytes } = blockLayouts[type];
  if (columns % values === 0) return (columns / values) * bytes;
  throw new Error(
    `${name}: ${columns} columns, expected a multiple of ${values}, the block of ${type}; take another type`,
  );
}

/** Uniform numbers in [0, 1): mulberry32. */
function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Blocks of random quants whose scales make values of about ±amplitude. */
function randomMatrix(
  type: TensorType,
  count: number,
  amplitude: number,
  random: () => number,
): Uint8Array {
  const value = () => (2 * random() - 1) * amplitude;
  if (type === 'F32') {
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) values[i] = value();
    return new Uint8Array(values.buffer);
  }
  const layout = blockLayouts[type];
  const blocks = count / layout.values;
  const bytes = Buffer.alloc(blocks * layout.bytes);
  for (let b = 0; b < blocks; b++) {
    const at = b * layout.bytes;
    for (let i = 0; i < layout.bytes; i++) bytes[at + i] = 256 * random(); // the fraction is cut off
    const half = (offset: number, x: number) => bytes.writeUInt16LE(halfBits(x), at + offset);
    const scale = amplitude * (0.5 + random());
    if (type === 'F16') half(0, value());
    if (type === 'BF16') bytes.writeUInt16LE(singleBits(value()) >>> 16, at);
    if (type === 'Q8_0') half(0, scale / 127);
    if (type === 'Q4_0') half(0, scale / 8);
    if (type === 'Q4_1') half(0, scale / 8);
    if (type === 'Q4_1') half(2, -scale);
    if (type === 'Q6_K') half(208, scale / (32 * 127));
  }
  return bytes;
}

const single = new Float32Array(1);
const singleWord = new Uint32Array(single.buffer);

function singleBits(x: number): number {
  single[0] = x;
  return singleWord[0];
}

/** Nearest half towards zero; good enough for scales. Below 2^-14 it is subnormal. */
function halfBits(x: number): number {
  const bits = singleBits(x);
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 127 + 15;
  if (exponent >= 31) return sign | 0x7bff;
  if (exponent <= 0) return sign | Math.floor(Math.abs(x) * 2 ** 24);
  return sign | (exponent << 10) | ((bits >>> 13) & 0x3ff);
}
