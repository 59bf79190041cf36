/**
 * The model families that this project computes: a row for each, by GGUF's `general.architecture`.
 * Readers, packer, inspect and the generator of test models work from these rows.
 * docs/adding-a-model-family.md says what a new one takes.
 *
 * A family is a row where it differs from Llama in names, in the order of rows, or in a part that
 * the engine has. Where it needs a part that the engine lacks, that part gets a value in
 * FamilyOptions (model.ts) first; a value stands here once everything computes it.
 */
import type { FamilyOptions, LayerTensors, ModelConfig, ModelTensors } from './model.ts';
import type { RopeDivisors } from './ropeScaling.ts';

export interface Family {
  /** Its name for people. */
  title: string;
  /** The models of it that people know; README.md lists them. */
  models: string;
  keys: FamilyKeys;
  /** Names of the tensors; `output` may be missing from a file: then it is the embedding. */
  tensors: { [role in Exclude<keyof ModelTensors, 'layers'>]-?: string };
  /**
   * Names of a layer's tensors, without `blk.N.`. A file has all that are named here, and no
   * others.
   */
  layer: { [role in keyof LayerTensors]: string };
  /** Names of the tensors that divide RoPE's frequencies; a file may have none of them. */
  ropeDivisors: { [context in 'always' | keyof RopeDivisors]: string };
  options: FamilyOptions;
}

/**
 * The family's own metadata keys, without its prefix. A file with any other is refused: it could
 * change the results.
 */
export interface FamilyKeys {
  /**
   * Where each size is found. Which of them may be missing, and what then holds, says readConfig in
   * gguf/reader.ts.
   */
  read: Record<SizeKey, string>;
  /** Where it says how its RoPE was changed (ropeScaling.ts); each may be missing from a file. */
  rope: Partial<Record<RopeKey, string>>;
  /** Keys that change results unless they have this value, which does nothing. */
  neutral: Record<string, number | boolean | string>;
  /** Keys that describe what `neutral` has ruled out, or the conversion. */
  harmless: readonly string[];
}

export type SizeKey =
  | Exclude<keyof ModelConfig, 'headDim' | 'tiedEmbeddings' | 'ropeScaling'>
  | 'keyLength'
  | 'valueLength';

export type RopeKey =
  | ('type' | 'factor' | 'olderFactor' | 'baseGrowth' | 'magnitude' | 'originalContext')
  | ('fastTurns' | 'slowTurns' | 'growthDivisor');

/**
 * A tensor's shape in words of the configuration: [columns] of a vector, which is F32, or [rows,
 * columns] of a matrix.
 */
export type Shape = readonly [columns: Size] | readonly [rows: Size, columns: Size];

export type Size = 'dim' | 'hiddenDim' | 'vocabSize' | 'queryDim' | 'kvDim';

export const endShapes = {
  embedding: ['vocabSize', 'dim'],
  outputNorm: ['dim'],
  output: ['vocabSize', 'dim'],
} as const satisfies Record<keyof Family['tensors'], Shape>;

export const layerShapes = {
  attentionNorm: ['dim'],
  query: ['queryDim', 'dim'],
  queryBias: ['queryDim'],
  key: ['kvDim', 'dim'],
  keyBias: ['kvDim'],
  value: ['kvDim', 'dim'],
  valueBias: ['kvDim'],
  attentionOutput: ['dim', 'queryDim'],
  ffnNorm: ['dim'],
  gate: ['hiddenDim', 'dim'],
  up: ['hiddenDim', 'dim'],
  down: ['dim', 'hiddenDim'],
} as const satisfies Record<keyof LayerTensors, Shape>;

/** A shape in numbers; a vector has one row. */
export function shapeOf(shape: Shape, config: ModelConfig): { rows: number; columns: number } {
  const { dim, hiddenDim, vocabSize, heads, kvHeads, headDim } = config;
  const [queryDim, kvDim] = [heads * headDim, kvHeads * headDim];
  const sizes: Record<Size, number> = { dim, hiddenDim, vocabSize, queryDim, kvDim };
  const [rows, columns] = shape.length === 1 ? [1, sizes[shape[0]]] : shape.map((s) => sizes[s]);
  return { rows, columns };
}

/**
 * Touvron et al. 2023; llama2.c's checkpoints too. What other families share with it they spread.
 */
const llama: Family = {
  title: 'Llama',
  models: 'Llama 1 to 3.3, SmolLM2, TinyLlama, Mistral 7B and Nemo, Falcon 3, R1-Distill-Llama',
  keys: {
    read: {
      layers: 'block_count',
      contextLength: 'context_length',
      dim: 'embedding_length',
      hiddenDim: 'feed_forward_length',
      heads: 'attention.head_count',
      kvHeads: 'attention.head_count_kv',
      keyLength: 'attention.key_length',
      valueLength: 'attention.value_length',
      normEpsilon: 'attention.layer_norm_rms_epsilon',
      ropeDim: 'rope.dimension_count',
      ropeBase: 'rope.freq_base',
      vocabSize: 'vocab_size',
    },
    rope: {
      type: 'rope.scaling.type',
      factor: 'rope.scaling.factor',
      olderFactor: 'rope.scale_linear',
      baseGrowth: 'rope.scaling.alpha',
      magnitude: 'rope.scaling.attn_factor',
      originalContext: 'rope.scaling.original_context_length',
    },
    neutral: {
      'rope.scaling.yarn_ext_factor': 1,
      // llama.cpp passes over these in models of Llama, and obeys them in others
      'rope.scaling.yarn_beta_fast': 32,
      'rope.scaling.yarn_beta_slow': 1,
      'rope.scaling.yarn_log_multiplier': 0,
      'attention.sliding_window': 0,
      'attention.causal': true,
      'attention.scale': 0,
      'attention.clamp_kqv': 0,
      'attention.max_alibi_bias': 0,
      attn_logit_softcapping: 0,
      final_logit_softcapping: 0,
      logit_scale: 1,
      embedding_scale: 1,
      residual_scale: 1,
      expert_count: 0,
      expert_used_count: 0,
      use_parallel_residual: false,
    },
    harmless: [
      'rope.scaling.finetuned',
      // llama.cpp computes it from the factor, whatever stands here (llama-context.cpp)
      'rope.scaling.yarn_attn_factor',
      'tensor_data_layout',
    ],
  },
  tensors: {
    embedding: 'token_embd.weight',
    outputNorm: 'output_norm.weight',
    output: 'output.weight',
  },
  layer: {
    attentionNorm: 'attn_norm.weight',
    query: 'attn_q.weight',
    key: 'attn_k.weight',
    value: 'attn_v.weight',
    attentionOutput: 'attn_output.weight',
    ffnNorm: 'ffn_norm.weight',
    gate: 'ffn_gate.weight',
    up: 'ffn_up.weight',
    down: 'ffn_down.weight',
  },
  ropeDivisors: {
    always: 'rope_freqs.weight', // Llama 3.1 and later
    short: 'rope_factors_short.weight',
    long: 'rope_factors_long.weight',
  },
  options: {
    norm: 'rms',
    normPlaces: 'before',
    queryKeyNorm: 'none',
    ropePairs: 'interleaved',
    window: 'none',
    activation: 'silu',
    softCaps: 'none',
    multipliers: 'none',
    experts: 'none',
  },
};

/** Qwen2 and 2.5: biases of queries, keys and values; GPT-NeoX's pairs. llama.cpp: qwen2.cpp */
const qwen2: Family = {
  ...llama,
  title: 'Qwen2',
  models: 'Qwen2, Qwen2.5 and its Coder, R1-Distill-Qwen',
  layer: {
    ...llama.layer,
    queryBias: 'attn_q.bias',
    keyBias: 'attn_k.bias',
    valueBias: 'attn_v.bias',
  },
  options: { ...llama.options, ropePairs: 'halves' },
};

/** ERNIE 4.5, dense: Llama by another name. llama.cpp: ernie4-5.cpp */
const ernie4_5: Family = { ...llama, title: 'ERNIE 4.5', models: 'ERNIE 4.5 0.3B' };

export const architectures: Readonly<Record<string, Family>> = {
  llama,
  qwen2,
  ernie4_5: ernie4_5,
};
