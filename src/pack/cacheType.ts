/** How a program caches keys and values. Packs do not depend on it. */
import type { Constants } from '../compiler/index.ts';
import { type ForwardPlan, withCache } from '../plan/forward.ts';
import { type CacheType, KV_GROUP } from '../plan/sizes.ts';

/** The same pack for a program that caches keys and values so. */
export function withCacheType<P extends { plan: ForwardPlan; constants: Constants }>(
  pack: P,
  type: CacheType,
): P {
  const { headDim } = pack.plan.sizes;
  if (type === 'q8' && headDim % KV_GROUP !== 0) {
    throw new Error(
      `--kv q8: found heads of ${headDim} values, expected a multiple of ${KV_GROUP}, which share a scale; leave --kv out`,
    );
  }
  const constants = { ...pack.constants, KV_BITS: type === 'q8' ? 8 : 16 };
  return { ...pack, plan: withCache(pack.plan, type), constants };
}
