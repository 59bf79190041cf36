import { readTicks } from 'arch/cpu';
import { type IoAddress, ioRead8, ioWrite8 } from 'arch/io';

/**
 * Measures the rate of the CPU's time stamp counter (TSC) where nothing tells it.
 *
 * The PIT (Intel 8254) counts down at a known rate. It is started at entry and read again when
 * somebody first asks for the time, so that a machine that has other things to do first does not
 * wait for it.
 *
 * | offset | written                                            | read             |
 * |------|----------------------------------------------------|------------------|
 * | 0x43 | command: 0x30 = counter 0, both bytes, mode 0;      | –                |
 * |      | 0xc2 = read back: latch count and status of counter 0 | –              |
 * | 0x40 | start of counter 0, low byte, high byte             | status, low byte, high byte |
 *
 * Status: bit 7 has run out, bit 6 count not yet loaded, bits 0-5 the command's.
 */
const COUNTER_0: IoAddress = 0;
const COMMAND: IoAddress = 3;

const PIT_HERTZ: u64 = 1193182;
const COUNT_DOWN: u8 = 0x30;
const READ_BACK: u8 = 0xc2;
const HAS_RUN_OUT: u8 = 0x80;

/** Steps of the PIT between two readings: at least 1 ms. */
const STEPS: u64 = 1193;

/**
 * The readings' own durations must be this much shorter than the time between them: the rate is
 * good to 0.25 %.
 */
const PRECISION: u64 = 200;

/** Readings before a PIT counts as stuck, and starts before it counts as absent. */
const READING_LIMIT: i32 = 20000;
const START_LIMIT: i32 = 3;

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

const first = zeroed<Reading>();

/** Of its registers. */
let base: IoAddress = 0;

/**
 * Keeps the narrowest of four readings. The first one is always slow: its code is not in any cache
 * yet.
 */
/** at: its registers. */
export function startCounter(at: IoAddress): void {
  base = at;
  ioWrite8(base + COMMAND, COUNT_DOWN);
  ioWrite8(base + COUNTER_0, 0xff);
  ioWrite8(base + COUNTER_0, 0xff);
  const reading = zeroed<Reading>();
  for (let i: i32 = 0; i < 4; i++) {
    readCounter(ref(reading));
    if (i == 0 || reading.width < first.width)
      memory.copy(ref(first), ref(reading), sizeof<Reading>());
  }
}

function readCounter(out: Ptr<Reading>): void {
  const before = readTicks();
  ioWrite8(base + COMMAND, READ_BACK);
  const after = readTicks();
  const status = ioRead8(base + COUNTER_0);
  const low = u32(ioRead8(base + COUNTER_0));
  const count = low | (u32(ioRead8(base + COUNTER_0)) << 8);
  out.width = after - before;
  out.ticks = before + out.width / 2;
  out.valid = (status & (HAS_RUN_OUT | 0x3f)) == COUNT_DOWN;
  out.steps = out.valid ? 0xffff - u64(count) : 0;
}

/**
 * The TSC's rate, from how far the PIT has come since `first`, waiting for it if that is not
 * enough; 0 without a PIT.
 */
export function measureByPit(): u64 {
  const last = zeroed<Reading>();
  let starts: i32 = 0;
  for (let i: i32 = 0; i < READING_LIMIT && starts < START_LIMIT; i++) {
    readCounter(ref(last));
    if (!last.valid) {
      startCounter(base);
      starts++;
    } else if (isFarEnough(ref(last))) {
      return ((last.ticks - first.ticks) * PIT_HERTZ) / (last.steps - first.steps);
    }
  }
  return 0;
}

function isFarEnough(last: Ptr<Reading>): bool {
  const ticks = last.ticks - first.ticks;
  return last.steps >= first.steps + STEPS && (first.width + last.width) * PRECISION <= ticks;
}
