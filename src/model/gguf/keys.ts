import type { Metadata } from './metadata.ts';

/** Keys of `llama.*` that say something about results and are read. */
const readKeys = new Set([
  'llama.block_count',
  'llama.context_length',
  'llama.embedding_length',
  'llama.feed_forward_length',
  'llama.attention.head_count',
  'llama.attention.head_count_kv',
  'llama.attention.key_length',
  'llama.attention.value_length',
  'llama.attention.layer_norm_rms_epsilon',
  'llama.rope.dimension_count',
  'llama.rope.freq_base',
  'llama.vocab_size',
]);

/** Keys that change results unless they have this value, which does nothing. */
const neutralValues: Record<string, number | boolean | string> = {
  'llama.rope.scaling.type': 'none',
  'llama.rope.scaling.factor': 1,
  'llama.rope.scale_linear': 1,
  'llama.rope.scaling.attn_factor': 1,
  'llama.attention.sliding_window': 0,
  'llama.attention.causal': true,
  'llama.attention.scale': 0,
  'llama.attention.clamp_kqv': 0,
  'llama.attention.max_alibi_bias': 0,
  'llama.attn_logit_softcapping': 0,
  'llama.final_logit_softcapping': 0,
  'llama.logit_scale': 1,
  'llama.embedding_scale': 1,
  'llama.residual_scale': 1,
  'llama.expert_count': 0,
  'llama.expert_used_count': 0,
  'llama.use_parallel_residual': false,
  'general.type': 'model',
  'general.quantization_version': 2,
  'split.count': 1,
  'split.no': 0,
};

/** Keys that describe scaling that neutralValues has ruled out, or the conversion. */
const harmlessKeys = new Set([
  'llama.rope.scaling.original_context_length',
  'llama.rope.scaling.finetuned',
  'llama.tensor_data_layout',
]);

/** Refuses every key that could change what the model computes and that this project does not know. */
export function checkForeignKeys(metadata: Metadata): void {
  for (const [key, neutral] of Object.entries(neutralValues)) {
    if (!metadata.has(key)) continue;
    const found =
      typeof neutral === 'number'
        ? metadata.float(key, { min: -Infinity, max: Infinity })
        : typeof neutral === 'boolean'
          ? metadata.boolean(key, neutral)
          : metadata.text(key);
    if (found === neutral) continue;
    throw metadata.error(
      key,
      metadata.describe(key),
      `${neutral} or no such key`,
      'this feature is not supported yet',
    );
  }
  for (const key of metadata.keys()) {
    if (!key.startsWith('llama.') || readKeys.has(key)) continue;
    if (key in neutralValues || harmlessKeys.has(key)) continue;
    throw metadata.error(
      key,
      metadata.describe(key),
      'no such key',
      'it is unknown here and could change the results',
    );
  }
}
