/** The guest's memory beside the pack, from the constants alone: each line is a buffer in guest/. */
import type { Constants } from '../compiler/index.ts';
import type { MemoryPlan } from './layout.ts';

const MAX_CORES = 64; // guest/engine/transformer.ts

export function planMemory(constants: Constants): MemoryPlan {
  const get = (name: string) => Number(constants[name]);
  const [batch, context] = [get('BATCH'), get('CONTEXT')];
  const row = (values: number) => Math.ceil(values / 16) * 16;
  const cached = get('LAYERS') * get('KV_HEADS') * context;
  const keyValueBytes = cached * (get('HEAD_DIM') + get('HEAD_ROW')) * 4;
  const stream = 3 * batch * get('DIM') * 4; // x, normed, change
  const heads = 2 * batch * (row(get('QUERY_DIM')) + row(get('KV_DIM'))) * 4; // queries, attended, newKeys, newValues
  const feedForward = 2 * batch * row(get('HIDDEN')) * 4; // gates, ups
  const scores = MAX_CORES * context * 4;
  const logits = get('VOCABULARY_ROWS') * 4;
  const angles = batch * get('ROPE_DIM') * 4;
  const quantized = batch * get('WIDEST') * (1 + 2 / 4 + 1 / 8); // quants, scales and sums, blockSums
  return {
    context,
    keyValueBytes,
    workBytes: stream + heads + feedForward + scores + logits + angles + quantized,
  };
}
