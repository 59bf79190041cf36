/**
 * Models of any family and shape with random weights: the file's metadata and its tensors, whose
 * bytes are drawn one after the other when somebody writes them, so a model need not fit into
 * memory.
 */
import {
  architectures,
  endShapes,
  type LayerTensors,
  layerShapeOf,
  layerShapes,
  type ModelConfig,
  type Shape,
  shapeOf,
  type TensorType,
  weightTypes,
} from '../../src/model/index.ts';
import type { GgufTensor, GgufValue } from './ggufWriter.ts';
import { byteVocabulary, sentenceVocabulary } from './tinyVocabulary.ts';

export interface RandomModel {
  name: string;
  /** Default: llama. */
  architecture?: string;
  dim: number;
  layers: number;
  heads: number;
  kvHeads: number;
  hidden: number;
  /** At least 300. */
  vocab: number;
  context: number;
  /** Type of every matrix; vectors are F32. */
  type: TensorType;
  /** Types of the matrices in turn, in place of one. */
  types?: readonly TensorType[];
  /**
   * Type of the matrix that gives the logits, which is the embedding where they are tied. Default:
   * as the others.
   */
  outputType?: TensorType;
  tokenizer: 'bpe' | 'spm';
  /** The output matrix is the embedding. */
  tied: boolean;
  seed: number;
  /** Default: 10,000. */
  ropeBase?: number;
  /** Values of a head that rotate. Default: all. */
  ropeDim?: number;
  /** Default: dim / heads. */
  headDim?: number;
  /** What else the file says, by names without the architecture. */
  keys?: Record<string, GgufValue>;
}

/**
 * A tensor whose bytes are still to be drawn: each once, in the model's order, or other bytes come
 * out.
 */
export interface RandomTensor extends Omit<GgufTensor, 'bytes'> {
  bytes: { length: number };
  draw(): Uint8Array;
}

/**
 * The same model and seed always give the same bytes. Throws if a row is no whole number of the
 * type's blocks.
 */
export function randomGguf(model: RandomModel): {
  metadata: Record<string, GgufValue>;
  tensors: RandomTensor[];
} {
  const { architecture = 'llama', vocab, tied, outputType, types = [model.type] } = model;
  const family = architectures[architecture];
  const config = configOf(model);
  const random = uniform(model.seed);
  let made = 0;
  const tensor = (name: string, shape: Shape, other?: TensorType): RandomTensor => {
    const { rows, columns } = shapeOf(shape, config);
    return shape.length === 1 ? vector(name, columns) : matrix(name, rows, columns, other);
  };
  const matrix = (name: string, rows: number, columns: number, other?: TensorType) => {
    const inTurn = types[made++ % types.length];
    const type = other ?? inTurn;
    return {
      name,
      shape: [columns, rows],
      type: weightTypes[type].number,
      bytes: { length: rows * rowBytes(name, type, columns) },
      draw: () => randomMatrix(type, rows * columns, 2 / Math.sqrt(columns), random),
    };
  };
  /** Norms lie around 1, biases around 0. */
  const vector = (name: string, columns: number): RandomTensor => {
    const least = name.endsWith('.bias') ? -0.5 : 0.5;
    return {
      name,
      shape: [columns],
      type: weightTypes.F32.number,
      bytes: { length: 4 * columns },
      draw: () =>
        new Uint8Array(Float32Array.from({ length: columns }, () => least + random()).buffer),
    };
  };
  const layerRoles = Object.entries(family.layer) as [keyof LayerTensors, string][];
  const layer = (_: unknown, i: number) => [
    ...layerRoles.map(([role, name]) =>
      tensor(`blk.${i}.${name}`, layerShapeOf(role, family.options)),
    ),
    ...Object.entries(family.fused ?? {}).map(([name, roles]) => {
      const rows = roles.map((role) => shapeOf(layerShapes[role], config).rows);
      return matrix(
        `blk.${i}.${name}`,
        rows.reduce((sum, count) => sum + count),
        config.dim,
      );
    }),
  ];
  const { embedding, outputNorm, output } = family.tensors;
  return {
    metadata: {
      'general.architecture': { type: 'string', value: architecture },
      'general.name': { type: 'string', value: model.name },
      ...sizes(architecture, config),
      ...Object.fromEntries(
        Object.entries(model.keys ?? {}).map(([key, value]) => [`${architecture}.${key}`, value]),
      ),
      ...(model.tokenizer === 'bpe' ? byteVocabulary(vocab) : sentenceVocabulary(vocab)),
    },
    tensors: [
      tensor(embedding, endShapes.embedding, tied ? outputType : undefined),
      tensor(outputNorm, endShapes.outputNorm),
      ...Array.from({ length: config.layers }, layer).flat(),
      ...(tied ? [] : [tensor(output, endShapes.output, outputType)]),
    ],
  };
}

function configOf(model: RandomModel): ModelConfig {
  const { dim, heads, kvHeads, layers, ropeBase = 10000, headDim = dim / heads } = model;
  return {
    ...{ dim, heads, kvHeads, layers, ropeBase, ropeDim: model.ropeDim ?? headDim, headDim },
    hiddenDim: model.hidden,
    vocabSize: model.vocab,
    contextLength: model.context,
    normEpsilon: 1e-5,
    tiedEmbeddings: model.tied,
  };
}

/** The sizes as the family's keys have them. */
function sizes(architecture: string, config: ModelConfig): Record<string, GgufValue> {
  const { read } = architectures[architecture].keys;
  const key = (name: keyof typeof read) => `${architecture}.${read[name]}`;
  const u32 = (name: keyof typeof read & keyof ModelConfig) => ({
    [key(name)]: { type: 'u32', value: Number(config[name]) } as const,
  });
  const headDim = { type: 'u32', value: config.headDim } as const;
  const isOwn = config.headDim !== config.dim / config.heads;
  return {
    ...{ ...u32('layers'), ...u32('contextLength'), ...u32('dim'), ...u32('hiddenDim') },
    ...{ ...u32('heads'), ...u32('kvHeads') },
    [key('normEpsilon')]: { type: 'f32', value: config.normEpsilon },
    [key('ropeBase')]: { type: 'f32', value: config.ropeBase },
    ...u32('ropeDim'),
    ...(isOwn && { [key('keyLength')]: headDim, [key('valueLength')]: headDim }),
  };
}

function rowBytes(name: string, type: TensorType, columns: number): number {
  const { block, bytes } = weightTypes[type];
  if (columns % block === 0) return (columns / block) * bytes;
  throw new Error(
    `${name}: ${columns} columns, expected a multiple of ${block}, the block of ${type}; take another type`,
  );
}

/** Uniform numbers in [0, 1): mulberry32 by Tommy Ettinger (public domain). */
export function uniform(seed: number): () => number {
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
  const { block, bytes: blockBytes, bits, scaleBits, floats } = weightTypes[type];
  const reach = greatest(bits) * (scaleBits === 0 ? 1 : greatest(scaleBits));
  const blocks = count / block;
  const bytes = Buffer.alloc(blocks * blockBytes);
  for (let b = 0; b < blocks; b++) {
    const at = b * blockBytes;
    for (let i = 0; i < blockBytes; i++) bytes[at + i] = 256 * random(); // the fraction is cut off
    const scale = amplitude * (0.5 + random());
    for (const { at: inBlock, kind, means } of floats) {
      // What is taken away, times such a number: in the middle of what the scale gives
      const minimum = () => (scaleBits === 0 ? -scale : scale / greatest(scaleBits));
      const x = { value, scale: () => scale / reach, minimum }[means]();
      bytes.writeUInt16LE(kind === 'f16' ? halfBits(x) : singleBits(x) >>> 16, at + inBlock);
    }
  }
  return bytes;
}

/** The greatest magnitude of a quant or of a group's scale. Quantizers leave out -128. */
function greatest(bits: number): number {
  return bits === 8 ? 127 : 2 ** (bits - 1);
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
