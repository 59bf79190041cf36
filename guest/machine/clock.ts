import { toldHertz } from 'arch/clock';
import { readTicks } from 'arch/cpu';
import type { MILESTONES, Milestone } from './milestone.ts';

/**
 * The clock of machines without operating system: a counter of the CPU's own, whose rate hypervisor
 * or CPU tell, or the machine measures when somebody first asks for the time.
 */

/** Where nothing tells the rate, times are honest about order only. */
const ASSUMED_HERTZ: u64 = 1000000000;

/** No counter is faster; up to this rate nanos() does not wrap. */
const MOST_HERTZ: u64 = 1 << 34;

/** A counter beyond this at entry did not start at this machine's reset. */
const LONGEST_BOOT_NANOS: u64 = 600000000000;

let entryTicks: u64 = 0;
/** Of the counter; 0: not known yet. */
let hertz: u64 = 0;
let measureHertz: () => u64 = null;
/**
 * The counter when a milestone was reached; nanoseconds come later, so that nothing is measured
 * while the machine starts.
 */
const milestones = zeroed<FixedArray<u64, typeof MILESTONES>>();

/**
 * ticks: the counter at entry. measure: gives its rate, 0 if it cannot; asked once, unless the CPU
 * knows itself: then this gives true.
 */
export function startClock(ticks: u64, measure: () => u64): bool {
  entryTicks = ticks;
  measureHertz = measure;
  hertz = toldHertz();
  if (hertz > MOST_HERTZ) hertz = 0;
  return hertz != 0;
}

function findRate(): void {
  if (hertz == 0) hertz = measureHertz();
  if (hertz == 0 || hertz > MOST_HERTZ) hertz = ASSUMED_HERTZ;
}

/** Nanoseconds since entry. */
export function now(): u64 {
  findRate();
  return nanos(readTicks() - entryTicks);
}

/** The machine's start has come so far. */
export function reach(milestone: Milestone): void {
  milestones[milestone] = readTicks();
}

/** Nanoseconds from entry to the milestone. */
export function milestoneNanos(milestone: Milestone): u64 {
  findRate();
  return nanos(milestones[milestone] - entryTicks);
}

/**
 * Nanoseconds from reset to entry, where the counter started at zero then; else 0. Hypervisors see
 * to that.
 */
export function bootNanos(): u64 {
  findRate();
  const sinceReset = nanos(entryTicks);
  return hertz != ASSUMED_HERTZ && sinceReset <= LONGEST_BOOT_NANOS ? sinceReset : 0;
}

function nanos(ticks: u64): u64 {
  return (ticks / hertz) * 1000000000 + ((ticks % hertz) * 1000000000) / hertz;
}
