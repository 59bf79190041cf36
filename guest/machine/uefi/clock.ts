import { readTicks } from 'arch/cpu';
import { stall } from './firmware.ts';

/**
 * Two waits, so that what a call takes by itself does not count. In turn and several times: the
 * first ones are slow, since their code is in no cache yet, and a host may take the CPU away at any
 * time.
 */
const SHORT: usize = 100;
const LONG: usize = 2100;
const TRIES: i32 = 4;

/** The rate of the CPU's time stamp counter by firmware's clock; 0 where that stands still. */
export function measureByStall(): u64 {
  let short = u64.MAX_VALUE;
  let long = u64.MAX_VALUE;
  for (let i: i32 = 0; i < TRIES; i++) {
    short = min(short, ticksOf(SHORT));
    long = min(long, ticksOf(LONG));
  }
  if (long <= short) return 0;
  return ((long - short) * 1000000) / u64(LONG - SHORT);
}

function ticksOf(microseconds: usize): u64 {
  const start = readTicks();
  stall(microseconds);
  return readTicks() - start;
}
