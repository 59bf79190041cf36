import type { MILESTONES, Milestone } from '../milestone.ts';
import { isFirst } from './first.ts';
import { monotonicNanos } from './system.ts';

let entryNanos: u64 = 0;
const milestones = zeroed<FixedArray<u64, typeof MILESTONES>>(); // nanoseconds since entry

export function startClock(): void {
  entryNanos = monotonicNanos();
}

/** Nanoseconds since entry. */
export function now(): u64 {
  return monotonicNanos() - entryNanos;
}

/** The machine's start has come so far. */
export function reach(milestone: Milestone): void {
  milestones[milestone] = now();
}

/** Nanoseconds from entry to the milestone. */
export function milestoneNanos(milestone: Milestone): u64 {
  return milestones[milestone];
}

/** Linux's clock begins when the kernel does, which says something of the first process only. */
export function bootNanos(): u64 {
  return isFirst() ? entryNanos : 0;
}
