import { type Leaf, readLeaf } from '../features.ts';
import { PIT_COMMAND, PIT_COUNTER_0 } from './layout.ts';

/**
 * The clock: the CPU's time stamp counter (TSC), whose rate the hypervisor or the CPU tells, or the PIT measures.
 *
 * The PIT (Intel 8254) counts down at a known rate. It is started at entry and read again when somebody first asks for the
 * time, so that a machine that has other things to do first does not wait for it.
 *
 * | port | written                                            | read             |
 * |------|----------------------------------------------------|------------------|
 * | 0x43 | command: 0x30 = counter 0, both bytes, mode 0;      | –                |
 * |      | 0xc2 = read back: latch count and status of counter 0 | –              |
 * | 0x40 | start of counter 0, low byte, high byte             | status, low byte, high byte |
 *
 * Status: bit 7 has run out, bit 6 count not yet loaded, bits 0-5 the command's.
 */
const PIT_HERTZ: u64 = 1193182;
const COUNT_DOWN: u8 = 0x30;
const READ_BACK: u8 = 0xc2;
const HAS_RUN_OUT: u8 = 0x80;

/** Steps of the PIT between two readings: at least 1 ms. */
const STEPS: u64 = 1193;

/** The readings' own durations must be this much shorter than the time between them: the rate is good to 0.25 %. */
const PRECISION: u64 = 200;

/** Readings before a PIT counts as stuck, and starts before it counts as absent. */
const READING_LIMIT: i32 = 20000;
const START_LIMIT: i32 = 3;

/** Where nothing tells the rate, times are honest about order only. */
const ASSUMED_HERTZ: u64 = 1000000000;

/** A TSC beyond this at entry did not start at this machine's reset. */
const LONGEST_BOOT_NANOS: u64 = 600000000000;

/** A host may take the CPU away at any time: what took long tells little. */
class Reading {
  ticks!: u64;
  /** ticks that the reading took */
  width!: u64;
  /** steps of the PIT since its start; 0 if `valid` is false */
  steps!: u64;
  /** the PIT is there and has not run out */
  valid!: bool;
}

let entryTicks: u64 = 0;
/** Of the TSC; 0: not known yet. */
let hertz: u64 = 0;
const first = zeroed<Reading>();

/** ticks: the TSC at entry */
export function startClock(ticks: u64): void {
  entryTicks = ticks;
  hertz = toldHertz();
  if (hertz == 0) startCounter();
}

/** Nanoseconds since entry. */
export function now(): u64 {
  if (hertz == 0) measure();
  return nanos(cpu.rdtsc() - entryTicks);
}

/** Nanoseconds from reset to entry, where the TSC started at zero then; else 0. Hypervisors see to that. */
export function bootNanos(): u64 {
  if (hertz == 0) measure();
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

/** Keeps the narrowest of four readings. The first one is always slow: its code is not in any cache yet. */
function startCounter(): void {
  port.out8(PIT_COMMAND, COUNT_DOWN);
  port.out8(PIT_COUNTER_0, 0xff);
  port.out8(PIT_COUNTER_0, 0xff);
  const reading = zeroed<Reading>();
  for (let i: i32 = 0; i < 4; i++) {
    readCounter(ref(reading));
    if (i == 0 || reading.width < first.width)
      memory.copy(ref(first), ref(reading), sizeof<Reading>());
  }
}

function readCounter(out: Ptr<Reading>): void {
  const before = cpu.rdtsc();
  port.out8(PIT_COMMAND, READ_BACK);
  const after = cpu.rdtsc();
  const status = port.in8(PIT_COUNTER_0);
  const low = u32(port.in8(PIT_COUNTER_0));
  const count = low | (u32(port.in8(PIT_COUNTER_0)) << 8);
  out.width = after - before;
  out.ticks = before + out.width / 2;
  out.valid = (status & (HAS_RUN_OUT | 0x3f)) == COUNT_DOWN;
  out.steps = out.valid ? 0xffff - u64(count) : 0;
}

/** Sets `hertz` from how far the PIT has come since `first`, waiting for it if that is not enough. */
function measure(): void {
  const last = zeroed<Reading>();
  let starts: i32 = 0;
  for (let i: i32 = 0; i < READING_LIMIT && starts < START_LIMIT; i++) {
    readCounter(ref(last));
    if (!last.valid) {
      startCounter();
      starts++;
    } else if (isFarEnough(ref(last))) {
      hertz = ((last.ticks - first.ticks) * PIT_HERTZ) / (last.steps - first.steps);
      return;
    }
  }
  hertz = ASSUMED_HERTZ;
}

function isFarEnough(last: Ptr<Reading>): bool {
  const ticks = last.ticks - first.ticks;
  return last.steps >= first.steps + STEPS && (first.width + last.width) * PRECISION <= ticks;
}
