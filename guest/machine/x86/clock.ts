import { type Leaf, readLeaf } from 'arch/features';
import type { MILESTONES, Milestone } from '../milestone.ts';

/**
 * The clock: the CPU's time stamp counter (TSC), whose rate the hypervisor or the CPU tells, or the machine measures when somebody
 * first asks for the time.
 */

/** Where nothing tells the rate, times are honest about order only. */
export const ASSUMED_HERTZ: u64 = 1000000000;

/** A TSC beyond this at entry did not start at this machine's reset. */
const LONGEST_BOOT_NANOS: u64 = 600000000000;

let entryTicks: u64 = 0;
/** Of the TSC; 0: not known yet. */
let hertz: u64 = 0;
let measureHertz: () => u64 = null;
/** The TSC when a milestone was reached; nanoseconds come later, so that nothing is measured while the machine starts. */
const milestones = zeroed<FixedArray<u64, typeof MILESTONES>>();

/**
 * ticks: the TSC at entry. measure: gives the TSC's rate, ASSUMED_HERTZ if it cannot; asked once, unless the CPU knows itself:
 * then this gives true.
 */
export function startClock(ticks: u64, measure: () => u64): bool {
  entryTicks = ticks;
  measureHertz = measure;
  hertz = toldHertz();
  return hertz != 0;
}

/** Nanoseconds since entry. */
export function now(): u64 {
  if (hertz == 0) hertz = measureHertz();
  return nanos(cpu.rdtsc() - entryTicks);
}

/** The machine's start has come so far. */
export function reach(milestone: Milestone): void {
  milestones[milestone] = cpu.rdtsc();
}

/** Nanoseconds from entry to the milestone. */
export function milestoneNanos(milestone: Milestone): u64 {
  if (hertz == 0) hertz = measureHertz();
  return nanos(milestones[milestone] - entryTicks);
}

/** Nanoseconds from reset to entry, where the TSC started at zero then; else 0. Hypervisors see to that. */
export function bootNanos(): u64 {
  if (hertz == 0) hertz = measureHertz();
  const sinceReset = nanos(entryTicks);
  return hertz != ASSUMED_HERTZ && sinceReset <= LONGEST_BOOT_NANOS ? sinceReset : 0;
}

function nanos(ticks: u64): u64 {
  return (ticks / hertz) * 1000000000 + ((ticks % hertz) * 1000000000) / hertz;
}

/** What a hypervisor (leaf 4000_0010h, kHz) or the CPU itself (leaves 15h and 16h; Intel SDM vol. 2, CPUID) says; or 0. */
function toldHertz(): u64 {
  const leaf = zeroed<Leaf>();
  readLeaf(ref(leaf), 1, 0);
  if (leaf.ecx >> 31 != 0) {
    readLeaf(ref(leaf), 0x40000010, 0);
    if (leaf.eax != 0) return u64(leaf.eax) * 1000;
  }
  readLeaf(ref(leaf), 0x15, 0);
  if (leaf.eax == 0 || leaf.ebx == 0) return 0;
  if (leaf.ecx != 0) return (u64(leaf.ecx) * u64(leaf.ebx)) / u64(leaf.eax);
  readLeaf(ref(leaf), 0x16, 0);
  return u64(leaf.eax & 0xffff) * 1000000;
}
