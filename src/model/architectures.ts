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
  layer: { [role in keyof LayerTensors]?: string };
  /** Matrices that lie in a file as one, their rows one after the other: its name, their roles. */
  fused?: Readonly<Record<string, readonly FusedRole[]>>;
  /** Names of the tensors that divide RoPE's frequencies; a file may have none of them. */
  ropeDivisors: { [context in 'always' | keyof RopeDivisors]?: string };
  options: FamilyOptions;
  /** Layers with a sliding window; absent: all see all positions. */
  windows?: Windows;
  /** Which layers RoPE leaves as they are; absent: none. */
  ropeless?: Ropeless;
  /** The embedding is multiplied by √dim. */
  scalesEmbedding?: boolean;
  /** Models of so many layers divide scores by √(dim / heads), in place of √headDim. */
  layersScoredByWidth?: number;
}

export type FusedRole = 'query' | 'key' | 'value' | 'gate' | 'up';

/**
 * Of `every` layers in turn all but the last have a window, unless the file says which. Beltagy et
 * al. 2020, "Longformer" §3.1.
 */
export interface Windows {
  every: number;
  /** Positions, where the file says none; absent: then no layer has a window. */
  positions?: number;
  /** RoPE's base where there is a window and the file says none; absent: as elsewhere. */
  ropeBase?: number;
  /** Whether RoPE's scaling holds where there is a window. */
  isScaled: boolean;
  /** Only models of so many layers have windows. */
  layers?: number;
}

/**
 * Layers 3, 7, 11 …; those without a window, in models that have windows; all, where the file says
 * that its RoPE was not trained.
 */
export type Ropeless = 'everyFourth' | 'withoutWindow' | 'untrained';

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
  /** Where it has factors, caps and windows (gguf/layers.ts); each may be missing from a file. */
  parts?: Partial<Record<PartKey, string>>;
  /**
   * Keys that change results unless they have this value, which does nothing; but for those that
   * the family reads, and its harmless ones.
   */
  neutral: Record<string, number | boolean | string>;
  /** Keys that describe what `neutral` has ruled out, or the conversion. */
  harmless: readonly string[];
}

export type SizeKey =
  | ('layers' | 'contextLength' | 'dim' | 'hiddenDim' | 'heads' | 'kvHeads' | 'vocabSize')
  | ('keyLength' | 'valueLength' | 'normEpsilon' | 'ropeDim' | 'ropeBase');

export type PartKey =
  | ('embeddingScale' | 'residualScale' | 'attentionScale' | 'logitDivisor')
  | ('scoreCap' | 'logitCap' | 'temperatureGrowth')
  | ('window' | 'windowPattern' | 'windowRopeBase' | 'isRopeTrained');

export type RopeKey =
  | ('type' | 'factor' | 'olderFactor' | 'baseGrowth' | 'magnitude' | 'originalContext')
  | ('fastTurns' | 'slowTurns' | 'growthDivisor');

/**
 * A tensor's shape in words of the configuration: [columns] of a vector, which is F32, or [rows,
 * columns] of a matrix.
 */
export type Shape = readonly [columns: Size] | readonly [rows: Size, columns: Size];

export type Size = 'dim' | 'hiddenDim' | 'vocabSize' | 'queryDim' | 'kvDim' | 'headDim';

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
  queryNorm: ['headDim'],
  keyNorm: ['headDim'],
  attentionOutput: ['dim', 'queryDim'],
  attentionPostNorm: ['dim'],
  ffnNorm: ['dim'],
  gate: ['hiddenDim', 'dim'],
  up: ['hiddenDim', 'dim'],
  down: ['dim', 'hiddenDim'],
  ffnPostNorm: ['dim'],
} as const satisfies Record<keyof LayerTensors, Shape>;

/** The shape of a layer's tensor; norms of queries and keys may be of all heads as one row. */
export function layerShapeOf(role: keyof LayerTensors, { queryKeyNorm }: FamilyOptions): Shape {
  if (queryKeyNorm === 'row' && role === 'queryNorm') return ['queryDim'];
  if (queryKeyNorm === 'row' && role === 'keyNorm') return ['kvDim'];
  return layerShapes[role];
}

/** A shape in numbers; a vector has one row. */
export function shapeOf(shape: Shape, config: ModelConfig): { rows: number; columns: number } {
  const { dim, hiddenDim, vocabSize, heads, kvHeads, headDim } = config;
  const [queryDim, kvDim] = [heads * headDim, kvHeads * headDim];
  const sizes: Record<Size, number> = { dim, hiddenDim, vocabSize, queryDim, kvDim, headDim };
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
    normPlaces: 'before',
    queryKeyNorm: 'none',
    ropePairs: 'interleaved',
    activation: 'silu',
  },
};

/** Mistral's third: YaRN in all its parts, and queries that grow. llama.cpp: mistral3.cpp */
const mistral3: Family = {
  ...llama,
  title: 'Mistral 3',
  models: 'Ministral 3, Mistral Small 3.x',
  keys: {
    ...llama.keys,
    rope: {
      ...llama.keys.rope,
      fastTurns: 'rope.scaling.yarn_beta_fast',
      slowTurns: 'rope.scaling.yarn_beta_slow',
      growthDivisor: 'rope.scaling.yarn_log_multiplier',
    },
    parts: {
      attentionScale: 'attention.scale',
      temperatureGrowth: 'attention.temperature_scale',
    },
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

const headNorms = { queryNorm: 'attn_q_norm.weight', keyNorm: 'attn_k_norm.weight' };
const postNorms = {
  attentionPostNorm: 'post_attention_norm.weight',
  ffnPostNorm: 'post_ffw_norm.weight',
};

/** Qwen3, dense: each head's queries and keys are normed. llama.cpp: qwen3.cpp */
const qwen3: Family = {
  ...llama,
  title: 'Qwen3',
  models: 'Qwen3 0.6B to 32B',
  layer: { ...llama.layer, ...headNorms },
  ropeDivisors: {},
  options: { ...llama.options, ropePairs: 'halves', queryKeyNorm: 'head' },
};

/** Gemma Team 2024, "Gemma 2" §2. llama.cpp: gemma2.cpp */
const gemma2: Family = {
  ...llama,
  title: 'Gemma 2',
  models: 'Gemma 2 2B to 27B',
  keys: {
    ...llama.keys,
    parts: {
      scoreCap: 'attn_logit_softcapping',
      logitCap: 'final_logit_softcapping',
      window: 'attention.sliding_window',
      windowPattern: 'attention.sliding_window_pattern',
      windowRopeBase: 'rope.freq_base_swa',
    },
  },
  layer: { ...llama.layer, ...postNorms },
  ropeDivisors: {},
  options: { ...llama.options, ropePairs: 'halves', normPlaces: 'both', activation: 'gelu' },
  windows: { every: 2, positions: 4096, isScaled: true },
  scalesEmbedding: true,
  layersScoredByWidth: 46, // the 27B model
};

/** Gemma Team 2025, "Gemma 3" §2; its own base of RoPE in windows. llama.cpp: gemma3.cpp */
const gemma3: Family = {
  ...gemma2,
  title: 'Gemma 3',
  models: 'Gemma 3 270M to 27B',
  layer: { ...gemma2.layer, ...headNorms },
  options: { ...gemma2.options, queryKeyNorm: 'head' },
  windows: { every: 6, ropeBase: 10000, isScaled: false },
  layersScoredByWidth: 62, // the 27B model
};

/** Phi-3, 3.5 and 4: fused matrices. Its window llama.cpp passes over (phi3.cpp). */
const phi3: Family = {
  ...llama,
  title: 'Phi-3',
  models: 'Phi-3, Phi-3.5, Phi-4, Phi-4-mini',
  keys: {
    ...llama.keys,
    harmless: [...llama.keys.harmless, 'attention.sliding_window'],
  },
  layer: {
    attentionNorm: 'attn_norm.weight',
    attentionOutput: 'attn_output.weight',
    ffnNorm: 'ffn_norm.weight',
    down: 'ffn_down.weight',
  },
  fused: {
    'attn_qkv.weight': ['query', 'key', 'value'],
    'ffn_up.weight': ['gate', 'up'],
  },
  options: { ...llama.options, ropePairs: 'halves' },
};

/** SmolLM3: no RoPE in every fourth layer. llama.cpp: smollm3.cpp */
const smollm3: Family = {
  ...llama,
  title: 'SmolLM3',
  models: 'SmolLM3 3B',
  keys: { ...llama.keys, parts: { attentionScale: 'attention.scale' } },
  ropeDivisors: {},
  ropeless: 'everyFourth',
};

/** Granite 3 and 4, dense: four constants. llama.cpp: granite.cpp */
const granite: Family = {
  ...llama,
  title: 'Granite',
  models: 'Granite 3.x and 4.x, dense',
  keys: {
    ...llama.keys,
    parts: {
      embeddingScale: 'embedding_scale',
      residualScale: 'residual_scale',
      attentionScale: 'attention.scale',
      logitDivisor: 'logit_scale',
      isRopeTrained: 'rope.scaling.finetuned',
    },
  },
  ropeless: 'untrained',
};

/** OLMo 2 and 3: norms after each part, windows in 3. llama.cpp: olmo2.cpp */
const olmo2: Family = {
  ...llama,
  title: 'OLMo 2',
  models: 'OLMo 2, OLMo 3',
  keys: {
    ...llama.keys,
    parts: {
      window: 'attention.sliding_window',
      windowPattern: 'attention.sliding_window_pattern',
    },
    harmless: [...llama.keys.harmless, 'rope.freq_base_swa'],
  },
  layer: { ...withoutPreNorms(llama.layer), ...headNorms, ...postNorms },
  ropeDivisors: {},
  options: {
    ...{ ropePairs: 'halves', normPlaces: 'after', queryKeyNorm: 'row', activation: 'silu' },
  },
  windows: { every: 4, isScaled: false },
};

/** EXAONE 4: of 64 layers every fourth sees all, without RoPE. llama.cpp: exaone4.cpp */
const exaone4: Family = {
  ...olmo2,
  title: 'EXAONE 4',
  models: 'EXAONE 4.0 1.2B and 32B',
  keys: {
    ...olmo2.keys,
    parts: { ...olmo2.keys.parts, windowRopeBase: 'rope.freq_base_swa' },
  },
  ropeDivisors: { always: 'rope_freqs.weight' },
  options: { ...olmo2.options, queryKeyNorm: 'head' },
  windows: { every: 4, positions: 4096, isScaled: true, layers: 64 },
  ropeless: 'withoutWindow',
};

/** ERNIE 4.5, dense: Llama by another name. llama.cpp: ernie4-5.cpp */
const ernie4_5: Family = { ...llama, title: 'ERNIE 4.5', models: 'ERNIE 4.5 0.3B' };

/** Hunyuan, dense: norms of queries and keys after RoPE. llama.cpp: hunyuan-vl.cpp */
const hunyuanDense: Family = {
  ...llama,
  title: 'Hunyuan',
  models: 'Hunyuan 0.5B to 7B, dense',
  layer: { ...llama.layer, ...headNorms },
  options: { ...llama.options, ropePairs: 'halves', queryKeyNorm: 'headAfterRope' },
};

function withoutPreNorms({ attentionNorm, ffnNorm, ...others }: Family['layer']) {
  return others;
}

export const architectures: Readonly<Record<string, Family>> = {
  llama,
  mistral3,
  qwen2,
  qwen3,
  gemma2,
  gemma3,
  phi3,
  smollm3,
  granite,
  olmo2,
  exaone4,
  ernie4_5,
  'hunyuan-dense': hunyuanDense,
};
