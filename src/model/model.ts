import type { TensorType } from './formats.ts';
import type { RopeScaling } from './ropeScaling.ts';

/**
 * A checked model, whatever format it came from. Everything below src/model works on this alone.
 */
export interface Model {
  name: string;
  /** Of its file; of several, the first. */
  path: string;
  format: 'gguf' | 'llama2c';
  /** The family, a key of architectures. */
  architecture: string;
  /** What that family's layers are made of. */
  options: FamilyOptions;
  /** How many files it is spread over. */
  files: number;
  /** Of all of them. */
  fileBytes: number;
  config: ModelConfig;
  tensors: ModelTensors;
  tokenizer: Tokenizer;
  /** The model's chat template, a Jinja program. */
  chatTemplate?: string;
  close(): Promise<void>;
}

export interface ModelConfig {
  /** Width of the residual stream. */
  dim: number;
  /** Width of the feed-forward part. */
  hiddenDim: number;
  layers: number;
  /** Query heads; a multiple of kvHeads. */
  heads: number;
  kvHeads: number;
  /** Width of one head; heads × headDim is usually dim. */
  headDim: number;
  vocabSize: number;
  contextLength: number;
  normEpsilon: number;
  ropeBase: number;
  /**
   * How many of a head's values are rotated: even, ≤ headDim. Values 2i and 2i+1 rotate together;
   * where a family has other pairs, its tensors have been brought into this order (ropePairs.ts).
   */
  ropeDim: number;
  /** Absent where frequencies are ropeBase^(-2i / ropeDim). */
  ropeScaling?: RopeScaling;
  /** boolean[layers], whether RoPE leaves a layer as it is. Absent: none. */
  ropeless?: readonly boolean[];
  /** number[layers], positions that a layer sees, its own too; 0: all. Absent: all see all. */
  windows?: readonly number[];
  /** RoPE of the layers that have a window; absent: as in the others. */
  windowRope?: Pick<ModelConfig, 'ropeBase' | 'ropeScaling'>;
  /** What is multiplied with a constant, or held down; absent: nothing. */
  scales?: Scales;
  /** The output matrix is the embedding. */
  tiedEmbeddings: boolean;
}

/** Factors are 1 where they are absent; caps: value ← cap · tanh(value / cap). */
export interface Scales {
  /** Of the embedding. */
  embedding?: number;
  /** Of what attention and the feed-forward part add to the residual stream. */
  residual?: number;
  /** Of the scores; absent: 1 / √headDim. */
  attention?: number;
  logits?: number;
  scoreCap?: number;
  logitCap?: number;
  /** Queries grow with their position p: times 1 + growth · ln(1 + ⌊p / length⌋). */
  temperature?: { growth: number; length: number };
}

/** What a layer is made of: values that everything computes. */
export interface FamilyOptions {
  /** Norms before attention and feed-forward part, after them, or both. */
  normPlaces: 'before' | 'both' | 'after';
  /**
   * Norms of queries and keys: of each head, before RoPE or after it, or of all heads as one row.
   */
  queryKeyNorm: 'none' | 'head' | 'headAfterRope' | 'row';
  /** Which values of a head rotate together: 2i and 2i + 1, or i and i + ropeDim / 2 (GPT-NeoX). */
  ropePairs: 'interleaved' | 'halves';
  /** activation(gate) · up. Shazeer 2020, eq. 6; gelu: by tanh, Hendrycks & Gimpel 2016. */
  activation: 'silu' | 'gelu';
}

export interface ModelTensors {
  /** [vocabSize][dim] */
  embedding: Tensor;
  /** [dim], F32 */
  outputNorm: Tensor;
  /** [vocabSize][dim]; absent when tied to the embedding. */
  output?: Tensor;
  layers: LayerTensors[];
}

export interface LayerTensors {
  /** [dim], F32: before attention. */
  attentionNorm?: Tensor;
  /** [heads · headDim][dim] */
  query: Tensor;
  /** [kvHeads · headDim][dim] */
  key: Tensor;
  /** [kvHeads · headDim][dim] */
  value: Tensor;
  /**
   * [heads · headDim], F32: added to the product with `query`; so are the other two. Absent where
   * the family has none.
   */
  queryBias?: Tensor;
  /** [kvHeads · headDim], F32 */
  keyBias?: Tensor;
  /** [kvHeads · headDim], F32 */
  valueBias?: Tensor;
  /** [headDim], F32, or [heads · headDim] where all heads are one row. */
  queryNorm?: Tensor;
  /** [headDim], F32, or [kvHeads · headDim] */
  keyNorm?: Tensor;
  /** [dim][heads · headDim] */
  attentionOutput: Tensor;
  /** [dim], F32: of what attention adds to the residual stream. */
  attentionPostNorm?: Tensor;
  /** [dim], F32: before the feed-forward part. */
  ffnNorm?: Tensor;
  /** [hiddenDim][dim] */
  gate: Tensor;
  /** [hiddenDim][dim] */
  up: Tensor;
  /** [dim][hiddenDim] */
  down: Tensor;
  /** [dim], F32: of what the feed-forward part adds. */
  ffnPostNorm?: Tensor;
}

/** A matrix in the file: rows × columns, row after row; a vector has one row. */
export interface Tensor {
  name: string;
  type: TensorType;
  rows: number;
  /** Values in a row; a multiple of the type's block. */
  columns: number;
  /** Bytes in the file, rows × rowBytes. */
  bytes: number;
  /** The raw bytes of the whole tensor, as in the file. */
  read(): Promise<Uint8Array>;
  /** The raw bytes of rows first … first + count - 1. */
  readRows(first: number, count: number): Promise<Uint8Array>;
}

/**
 * Bytes as a string with one character (0-255) per byte: compact, comparable, usable as a Map key.
 */
export type ByteString = string;

/** What a piece of the vocabulary is for; numbers as in GGUF's `tokenizer.ggml.token_type`. */
export const PieceType = {
  normal: 1,
  unknown: 2,
  control: 3,
  userDefined: 4,
  unused: 5,
  byte: 6,
} as const;

/** A vocabulary as the file describes it; compileTokenizer turns it into tables. */
export interface Tokenizer {
  /** spm: SentencePiece BPE, merges by score; bpe: byte-level BPE, merges in a list. */
  kind: 'spm' | 'bpe';
  /**
   * Piece of each token as the file has it: UTF-8; spm: ▁ or (llama2.c) a space; bpe: GPT-2's byte
   * letters.
   */
  pieces: ByteString[];
  /** spm: higher merges first. */
  scores?: Float32Array;
  /** PieceType of each token. */
  types: Uint8Array;
  /** bpe: `left right`, best first. */
  merges: ByteString[];
  /** bpe: name of the pre-tokenizer, one of preTokenizers. */
  preTokenizer?: string;
  bos?: number;
  eos?: number;
  unknown?: number;
  /** Tokens that end an answer: eos and end-of-turn tokens, ascending. */
  end: number[];
  /** Special tokens after which white space of a template is left out (Phi-3). */
  stripsAfter: number[];
  addBos: boolean;
  addEos: boolean;
  /** spm: a text begins with a space of its own. */
  addSpacePrefix: boolean;
  /** llama2.c: the piece after BOS loses its leading space when printed. */
  stripAfterBos: boolean;
  /** bpe: a word that is itself a piece is not merged but taken whole (Llama 3). */
  ignoreMerges: boolean;
}
