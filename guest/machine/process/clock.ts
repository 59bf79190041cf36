import { monotonicNanos } from './system.ts';

let entryNanos: u64 = 0;

export function startClock(): void {
  entryNanos = monotonicNanos();
}

/** Nanoseconds since entry. */
export function now(): u64 {
  return monotonicNanos() - entryNanos;
}

/** A process cannot tell when its machine was reset. */
export function bootNanos(): u64 {
  return 0;
}
