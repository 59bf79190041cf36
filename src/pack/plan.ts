/** The guest's memory beside the pack, from the constants alone: each line is a module's buffers in guest/. */
import type { Constants } from '../compiler/index.ts';
import type { MemoryPlan } from './layout.ts';

/** tests/pack/plan.test.ts holds the sum against the storage of the linked program. */
export function planMemory(constants: Constants): MemoryPlan {
  const get = (name: string) => Number(constants[name]);
  const [batch, context, vocabulary] = [get('BATCH'), get('CONTEXT'), get('VOCABULARY')];
  const row = (values: number) => Math.ceil(values / 16) * 16;
  const cached = get('LAYERS') * get('KV_HEADS') * Math.ceil(context / 64) * 64; // whole chunks of attention.ts
  const stream = 3 * batch * get('DIM') * 4; // x, normed, change
  const heads = 2 * batch * (row(get('QUERY_DIM')) + row(get('KV_DIM'))) * 4;
  const feedForward = 2 * batch * row(get('HIDDEN')) * 4; // gates, ups
  const work = {
    transformer: stream + heads + feedForward + get('VOCABULARY_ROWS') * 4,
    rope: batch * get('ROPE_DIM') * 4, // cosines, sines
    quantize: batch * get('WIDEST') * 2, // a line of 64 bytes for 32 columns
    sampler: vocabulary * 12, // heap, kept, weights
    tokenizer: (get('TOKENIZER_MAX_TEXT') + 1) * 29, // seven words and a byte for each byte of text
    prompt: get('TOKENIZER_MAX_TEXT') + context * 4, // text, tokens
    console: get('MAX_PROMPT_BYTES') + 4096, // the line, and those before it
  };
  return {
    context,
    keyValueBytes: cached * (get('HEAD_DIM') + get('HEAD_ROW')) * 2,
    workBytes: Object.values(work).reduce((sum, bytes) => sum + bytes, 0),
  };
}
