import type { ForwardPlan } from '../plan/forward.ts';

/**
 * Bytes that generating one token reads from memory: every layer's matrices, norms and biases,
 * the output matrix, and the keys and values of the positions that it attends to. The embedding
 * counts where it is the output matrix, for a token takes one row of it. positions: the token's
 * own included; a mean over several tokens need not be whole.
 */
export function bytesPerToken(plan: ForwardPlan, positions: number): number {
  const layers = plan.groups.flatMap(({ layers, steps }) =>
    steps.map(({ weightBytes }) => layers.length * weightBytes),
  );
  const weights = layers.reduce((sum, bytes) => sum + bytes, plan.output.weightBytes);
  return weights + plan.cacheBytesPerPosition * positions;
}
