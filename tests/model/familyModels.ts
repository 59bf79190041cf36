/** A small random model for each family and each of its parts, as its files have them. */
import { architectures } from '../../src/model/index.ts';
import type { GgufValue } from './ggufWriter.ts';
import type { TinyModel } from './tinyGguf.ts';

const f32 = (value: number): GgufValue => ({ type: 'f32', value });
const u32 = (value: number): GgufValue => ({ type: 'u32', value });
const text = (value: string): GgufValue => ({ type: 'string', value });

const yarn = (factor: number) => ({
  'rope.scaling.type': text('yarn'),
  'rope.scaling.factor': f32(factor),
  'rope.scaling.original_context_length': u32(32),
});
/** Fewer positions than a chunk of the cache has, and than tests evaluate. */
const window = { 'attention.sliding_window': u32(20) };

const models: Record<string, TinyModel> = {
  llama: { architecture: 'llama', ropeBase: 500_000, tied: false },
  mistral3: {
    architecture: 'mistral3',
    headDim: 32,
    keys: {
      ...yarn(16),
      'rope.scaling.yarn_beta_fast': f32(32),
      'rope.scaling.yarn_beta_slow': f32(1),
      'rope.scaling.yarn_log_multiplier': f32(1),
      'attention.temperature_scale': f32(0.1),
    },
  },
  qwen2: { architecture: 'qwen2' },
  qwen3: { architecture: 'qwen3', headDim: 32 },
  gemma2: {
    architecture: 'gemma2',
    layers: 4,
    keys: { ...window, attn_logit_softcapping: f32(5), final_logit_softcapping: f32(3) },
  },
  gemma3: {
    ...{ architecture: 'gemma3', layers: 7, kvHeads: 1, headDim: 32, ropeBase: 1e6 },
    keys: { ...window, 'rope.scaling.type': text('linear'), 'rope.scaling.factor': f32(8) },
  },
  phi3: { architecture: 'phi3', tied: false, keys: window },
  smollm3: { architecture: 'smollm3', layers: 5 },
  granite: {
    architecture: 'granite',
    keys: {
      embedding_scale: f32(12),
      residual_scale: f32(0.22),
      'attention.scale': f32(0.0156),
      logit_scale: f32(8),
    },
  },
  'granite, RoPE not trained': {
    architecture: 'granite',
    keys: { logit_scale: f32(2), 'rope.scaling.finetuned': { type: 'bool', value: false } },
  },
  olmo2: { architecture: 'olmo2', tied: false },
  'olmo2, windows (OLMo 3)': {
    ...{ architecture: 'olmo2', layers: 4, tied: false },
    keys: { ...window, ...yarn(4) },
  },
  exaone4: { architecture: 'exaone4' },
  'exaone4, 32B': { architecture: 'exaone4', layers: 64, hidden: 32, keys: window },
  ernie4_5: { architecture: 'ernie4_5', tokenizer: 'spm' },
  'hunyuan-dense': { architecture: 'hunyuan-dense', keys: { 'rope.scaling.alpha': f32(50) } },
};

/** By name; the first word is the architecture. Rows are narrow: blocks of 32 values fit. */
export const familyModels: readonly (readonly [name: string, model: TinyModel])[] =
  Object.entries(models);

for (const name of Object.keys(architectures)) {
  if (models[name] === undefined) throw new Error(`no small model of the family ${name}`);
}

/** Which of the guest's parts a model has, one after the other: axes for a sample. */
export function partsOf({ architecture = 'llama', keys = {} }: TinyModel): unknown[] {
  const { options, ropeless, layer } = architectures[architecture];
  const { normPlaces, queryKeyNorm, activation } = options;
  const has = (key: string) => Object.hasOwn(keys, key);
  return [
    ...[normPlaces, queryKeyNorm, activation, ropeless, layer.queryBias !== undefined],
    ...[has('attention.sliding_window'), has('attn_logit_softcapping')],
    ...[has('residual_scale'), has('attention.temperature_scale')],
  ];
}
