import { isFirst } from './first.ts';
import { monotonicNanos } from './system.ts';

let entryNanos: u64 = 0;

export function startClock(): void {
  entryNanos = monotonicNanos();
}

/** Nanoseconds since entry. */
export function now(): u64 {
  return monotonicNanos() - entryNanos;
}

/** Linux's clock begins when the kernel does, which says something of the first process only. */
export function bootNanos(): u64 {
  return isFirst() ? entryNanos : 0;
}
