/**
 * Prefetching weights before a lone token's products need them. They are read once, in order: AMD's
 * CPUs see that and fetch ahead by themselves, and lose a seventh of their speed to instructions
 * that ask for it; Intel's fetch too little, and gain a third to a half (docs/performance.md). It
 * changes no bit.
 */

/** How far ahead: what memory gives one core in the time that it takes to answer, and more. */
const DISTANCE: i32 = 4096;

let isOn: bool = false;

/** Whether this CPU is to be asked. Before the first product. */
export function enablePrefetch(wanted: bool): void {
  isOn = wanted;
}

export function isPrefetchOn(): bool {
  return isOn;
}

/** Fetches so many bytes of what comes DISTANCE later; never faults. bytes: a constant. @inline */
export function prefetchAhead(at: Ptr<u8>, bytes: i32): void {
  /** @unroll */
  for (let i: i32 = 0; i < bytes; i += 64) memory.prefetch(ref(at[DISTANCE + i]));
}
