import { now } from './clock.ts';
import { setGate } from './interrupts.ts';
import { LOCAL_APIC, PIC_MASK_1, PIC_MASK_2 } from './layout.ts';

/**
 * Sleeping while there is nothing to do: the CPU halts, and the timer of its local APIC wakes it a little later,
 * so that whoever waits looks at his device again. Interrupts are on only here, and the timer's is the only one.
 *
 * Local APIC registers (Intel SDM vol. 3, table 11-1):
 *
 * | offset | register       |                                                              |
 * |--------|----------------|--------------------------------------------------------------|
 * | 0b0    | end of interrupt | any write                                                  |
 * | 0f0    | spurious vector | bits 0-7 vector, bit 8 APIC on                              |
 * | 320    | timer vector   | bits 0-7 vector, bit 16 masked; bits 17-18 = 0: fires once   |
 * | 380    | initial count  | a write starts the timer                                     |
 * | 390    | current count  |                                                              |
 * | 3e0    | divide         | 0b: by one                                                   |
 */
const END_OF_INTERRUPT: usize = LOCAL_APIC + 0xb0;
const SPURIOUS: usize = LOCAL_APIC + 0xf0;
const TIMER: usize = LOCAL_APIC + 0x320;
const INITIAL_COUNT: usize = LOCAL_APIC + 0x380;
const CURRENT_COUNT: usize = LOCAL_APIC + 0x390;
const DIVIDE: usize = LOCAL_APIC + 0x3e0;

const APIC_ON: u32 = 0x100;
const MASKED: u32 = 0x10000;
const BY_ONE: u32 = 0x0b;

/** IA32_APIC_BASE: bit 10 x2APIC (no registers in memory), bit 11 on, from bit 12 the registers' address. */
const APIC_BASE: u32 = 0x1b;
const X2APIC: u64 = 0x400;
const ENABLED: u64 = 0x800;
const BASE_MASK: u64 = 0xffffff000;

const TIMER_VECTOR: u16 = 32;
const SPURIOUS_VECTOR: u16 = 33;

/** The timer's rate is measured over 64 µs, which is also the first sleep; each further one is twice as long up to 1 ms. */
const MEASURE_NANOS: u64 = 64000;
const DOUBLINGS: u32 = 4;

/** Counts of the first sleep; 0: not measured yet. */
let sleepCount: u32 = 0;
/** No APIC where we know it: then nobody sleeps. */
let cannotSleep: bool = false;

/** Returns after a while. sleeps: how many there were since the device last had something. */
export function idle(sleeps: u32): void {
  if (cannotSleep) return;
  if (sleepCount == 0) startTimer();
  if (sleepCount == 0) return;
  volatile.store<u32>(TIMER, u32(TIMER_VECTOR));
  volatile.store<u32>(INITIAL_COUNT, sleepCount << min(sleeps, DOUBLINGS));
  cpu.sti(); // takes effect after the next instruction: no interrupt slips in before the CPU halts
  cpu.halt();
  cpu.cli();
}

function startTimer(): void {
  const base = cpu.rdmsr(APIC_BASE);
  if ((base & (BASE_MASK | X2APIC | ENABLED)) != (u64(LOCAL_APIC) | ENABLED)) {
    cannotSleep = true;
    return;
  }
  // The old interrupt controllers deliver where exceptions are: keep them quiet.
  port.out8(PIC_MASK_1, 0xff);
  port.out8(PIC_MASK_2, 0xff);
  setGate(TIMER_VECTOR, changetype<usize>(onTimer));
  setGate(SPURIOUS_VECTOR, changetype<usize>(onSpurious));
  volatile.store<u32>(SPURIOUS, APIC_ON | u32(SPURIOUS_VECTOR));
  volatile.store<u32>(DIVIDE, BY_ONE);
  volatile.store<u32>(TIMER, MASKED);
  const start = now();
  volatile.store<u32>(INITIAL_COUNT, u32.MAX_VALUE);
  while (now() - start < MEASURE_NANOS) cpu.pause();
  sleepCount = u32.MAX_VALUE - volatile.load<u32>(CURRENT_COUNT);
  cannotSleep = sleepCount == 0;
}

/** @interrupt */
function onTimer(frame: Ptr<u64>): void {
  volatile.store<u32>(END_OF_INTERRUPT, 0);
}

/** Wants no end of interrupt. @interrupt */
function onSpurious(frame: Ptr<u64>): void {}
