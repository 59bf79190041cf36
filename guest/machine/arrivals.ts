import { pause, readTicks } from 'arch/cpu';
import { setCoreCount, work } from './pool.ts';

/**
 * Other cores arrive, in whatever order, and become workers of the pool; the first one waits for
 * them, but not for ever.
 */

/**
 * A virtual processor that spins takes time from one that works, if they share one of the host's.
 */
export const SPINS: i32 = 1000;

/** Ticks, a few per nanosecond, until those who have not come will not be waited for. */
export const PATIENCE_TICKS: u64 = 1000000000;

/** More than may ever come: who comes after `arrived` has been raised by it is late. */
const CLOSED: u32 = 0x10000;

let arrived: u32 = 0;

/** Works for the rest of its life; who is late comes back at once. */
export function arrive(): void {
  const index = atomic.add<u32>(ref(arrived), 1) + 1;
  if (index < CLOSED) work(i32(index));
}

/** Waits until so many others have arrived, but no longer than this. */
export function haveArrived(others: i32, ticks: u64): bool {
  const start = readTicks();
  while (readTicks() - start < ticks) {
    if (atomic.load<u32>(ref(arrived)) == u32(others)) return true;
    pause();
  }
  return false;
}

/** Whoever has not come is not counted. */
export function closeArrivals(): void {
  setCoreCount(i32(atomic.add<u32>(ref(arrived), CLOSED)) + 1);
}

/** There is nobody else on this CPU. */
export function yieldToNobody(): void {
  pause();
}
