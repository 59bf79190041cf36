import { now } from '../../machine/clock.ts';
import { halt, hasApic, TIMER_VECTOR } from './apic.ts';
import { pause } from './cpu.ts';
import { LOCAL_APIC } from './layout.ts';

/**
 * Sleeping while there is nothing to do: the first core halts, and the timer of its local APIC
 * wakes it a little later, so that whoever waits looks at his device again.
 *
 * Local APIC registers of the timer (Intel SDM vol. 3, table 11-1):
 *
 * | offset | register       |                                                              |
 * |--------|----------------|--------------------------------------------------------------|
 * | 320    | timer vector   | bits 0-7 vector, bit 16 masked; bits 17-18 = 0: fires once   |
 * | 380    | initial count  | a write starts the timer                                     |
 * | 390    | current count  |                                                              |
 * | 3e0    | divide         | 0b: by one                                                   |
 */
const TIMER: usize = LOCAL_APIC + 0x320;
const INITIAL_COUNT: usize = LOCAL_APIC + 0x380;
const CURRENT_COUNT: usize = LOCAL_APIC + 0x390;
const DIVIDE: usize = LOCAL_APIC + 0x3e0;

const MASKED: u32 = 0x10000;
const BY_ONE: u32 = 0x0b;

/**
 * The timer's rate is measured over 64 µs, which is also the first sleep; each further one is twice
 * as long up to 1 ms.
 */
const MEASURE_NANOS: u64 = 64000;
const DOUBLINGS: u32 = 4;

/** Counts of the first sleep; 0: not measured yet. */
let sleepCount: u32 = 0;
/** No APIC where we know it: then nobody sleeps. */
let cannotSleep: bool = false;

/**
 * Returns after a while, or when another core says so. sleeps: how many there were since the device
 * last had something.
 */
export function idle(sleeps: u32): void {
  if (cannotSleep) return;
  if (sleepCount == 0) startTimer();
  if (sleepCount == 0) return;
  volatile.store<u32>(TIMER, u32(TIMER_VECTOR));
  volatile.store<u32>(INITIAL_COUNT, sleepCount << min(sleeps, DOUBLINGS));
  halt();
}

/** Firmware's may still be at work. */
export function stopTimer(): void {
  volatile.store<u32>(TIMER, MASKED);
}

function startTimer(): void {
  if (!hasApic()) {
    cannotSleep = true;
    return;
  }
  volatile.store<u32>(DIVIDE, BY_ONE);
  stopTimer();
  const start = now();
  volatile.store<u32>(INITIAL_COUNT, u32.MAX_VALUE);
  while (now() - start < MEASURE_NANOS) pause();
  sleepCount = u32.MAX_VALUE - volatile.load<u32>(CURRENT_COUNT);
  cannotSleep = sleepCount == 0;
}
