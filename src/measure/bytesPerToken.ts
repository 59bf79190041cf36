import type { Constants } from '../compiler/index.ts';
import { roles } from '../pack/constants.ts';
import type { MemoryPlan } from '../pack/index.ts';
import { formatNumbered, tiledBytes } from '../pack/tiles.ts';
import { plainValue } from './guestPrograms.ts';

/**
 * Bytes that generating one token reads from memory: every layer's matrices, the norms, the output matrix, and the keys and
 * values of the positions that it attends to. The embedding counts where it is the output matrix, for a token takes one row of it.
 * positions: the token's own included; a mean over several tokens need not be whole.
 */
export function bytesPerToken(constants: Constants, plan: MemoryPlan, positions: number): number {
  const number = (name: string) => Number(plainValue(constants[name]));
  const [dim, hidden] = [number('DIM'), number('HIDDEN')];
  const [queryDim, kvDim] = [number('QUERY_DIM'), number('KV_DIM')];
  const shapes: Record<(typeof roles)[number], [rows: number, columns: number]> = {
    query: [queryDim, dim],
    key: [kvDim, dim],
    value: [kvDim, dim],
    attentionOutput: [dim, queryDim],
    gate: [hidden, dim],
    up: [hidden, dim],
    down: [dim, hidden],
  };
  const types = plainValue(constants.MATRIX_TYPES) as readonly number[];
  const matrices = types.map((type, i) =>
    tiledBytes(formatNumbered(type), ...shapes[roles[i % roles.length]]),
  );
  const output = tiledBytes(formatNumbered(number('OUTPUT_TYPE')), number('VOCABULARY'), dim);
  const norms = (number('LAYERS') * 2 + 1) * dim * 4;
  const stored = Math.ceil(plan.context / 64) * 64; // whole chunks of guest/kernels/attention.ts
  const cache = (plan.keyValueBytes / stored) * positions;
  return matrices.reduce((sum, bytes) => sum + bytes, output + norms + cache);
}
