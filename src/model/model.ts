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
  /** The output matrix is the embedding. */
  tiedEmbeddings: boolean;
}

/**
 * What a layer is made of. A type lists the values that everything computes today; `next` are those
 * of families to come (their order is that of need).
 */
export interface FamilyOptions {
  /** Next: 'layer', with a bias (BERT). */
  norm: 'rms';
  /**
   * Attention and feed-forward part each begin with a norm. Next: 'both' (Gemma), 'after' (OLMo 2).
   */
  normPlaces: 'before';
  /** Norms of queries and keys. Next: 'head' (Qwen3, Gemma 3), 'row' (OLMo 2). */
  queryKeyNorm: 'none';
  /** Which values of a head rotate together: 2i and 2i + 1, or i and i + ropeDim / 2 (GPT-NeoX). */
  ropePairs: 'interleaved' | 'halves';
  /** Positions that a layer sees. Next: sliding windows in some layers (Gemma, gpt-oss). */
  window: 'none';
  /** silu(gate) · up. Next: 'gelu' (Gemma), clamped (gpt-oss). */
  activation: 'silu';
  /** Caps of scores and logits. Next: tanh (Gemma 2). */
  softCaps: 'none';
  /** Factors of embedding, residual, scores and logits. Next: constants (Granite, Gemma). */
  multipliers: 'none';
  /** Next: routed experts (Qwen3 MoE, gpt-oss, Mixtral). */
  experts: 'none';
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
  /** [dim], F32 */
  attentionNorm: Tensor;
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
  /** [dim][heads · headDim] */
  attentionOutput: Tensor;
  /** [dim], F32 */
  ffnNorm: Tensor;
  /** [hiddenDim][dim] */
  gate: Tensor;
  /** [hiddenDim][dim] */
  up: Tensor;
  /** [dim][hiddenDim] */
  down: Tensor;
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
