import { pause } from './cpu.ts';
import { setGate } from './exceptions.ts';
import { cli, hlt, rdmsr, sti } from './instructions.ts';
import { LOCAL_APIC } from './layout.ts';

/**
 * The local APIC: each core has its own, all at the same address. It brings the timer that ends a
 * sleep, and messages from core to core. Interrupts are on only while a core halts: halt() below.
 *
 * Registers (Intel SDM vol. 3, table 11-1):
 *
 * | offset | register       |                                                              |
 * |--------|----------------|--------------------------------------------------------------|
 * | 020    | identity       | bits 24-31                                                   |
 * | 0b0    | end of interrupt | any write                                                  |
 * | 0f0    | spurious vector | bits 0-7 vector, bit 8 APIC on                              |
 * | 300    | command        | a write sends: bits 0-7 vector, 8-10 kind (5 INIT, 6 start-up), |
 * |        |                | bit 12 not sent yet, 14 always, 18-19 = 3: to all others |
 * | 310    | addressee      | bits 24-31 its identity                                      |
 */
const IDENTITY: usize = LOCAL_APIC + 0x20;
const END_OF_INTERRUPT: usize = LOCAL_APIC + 0xb0;
const SPURIOUS: usize = LOCAL_APIC + 0xf0;
const COMMAND: usize = LOCAL_APIC + 0x300;
const ADDRESSEE: usize = LOCAL_APIC + 0x310;

const APIC_ON: u32 = 0x100;

export const INIT: u32 = 0x4500;
/** Bits 0-7: number of the page below 1 MiB where it begins. */
export const START_UP: u32 = 0x4600;
const WAKE_OTHERS: u32 = 0xc4000;
const NOT_SENT: u32 = 0x1000;
/** Looks at a message that will not go. */
const SEND_LIMIT: i32 = 1000000;

/**
 * IA32_APIC_BASE: bit 8 the bootstrap processor's, bit 10 x2APIC (no registers in memory), bit 11
 * on, from bit 12 the registers' address.
 */
const APIC_BASE: u32 = 0x1b;
const BOOTSTRAP: u64 = 0x100;
const X2APIC: u64 = 0x400;
const ENABLED: u64 = 0x800;
const BASE_MASK: u64 = 0xffffff000;

export const TIMER_VECTOR: u16 = 32;
const SPURIOUS_VECTOR: u16 = 33;
export const WAKE_VECTOR: u16 = 34;

/** Whether the calling core has one where we know it. */
export function hasApic(): bool {
  const base = rdmsr(APIC_BASE);
  return (base & (BASE_MASK | X2APIC | ENABLED)) == (u64(LOCAL_APIC) | ENABLED);
}

/** Whether the calling core is the one that the machine began with. @generalRegisters */
export function isFirstCore(): bool {
  return (rdmsr(APIC_BASE) & BOOTSTRAP) != 0;
}

/** Once, before any core's startApic(). */
export function prepareApic(): void {
  setGate(TIMER_VECTOR, changetype<usize>(onMessage));
  setGate(SPURIOUS_VECTOR, changetype<usize>(onSpurious));
  setGate(WAKE_VECTOR, changetype<usize>(onMessage));
}

/** The calling core's, which has one. */
export function startApic(): void {
  volatile.store<u32>(SPURIOUS, APIC_ON | u32(SPURIOUS_VECTOR));
}

export function apicIdentity(): u32 {
  return volatile.load<u32>(IDENTITY) >> 24;
}

/** command: INIT, START_UP or a vector */
export function send(identity: u32, command: u32): void {
  volatile.store<u32>(ADDRESSEE, identity << 24);
  volatile.store<u32>(COMMAND, command);
  for (let i: i32 = 0; i < SEND_LIMIT; i++) {
    if ((volatile.load<u32>(COMMAND) & NOT_SENT) == 0) return;
    pause();
  }
}

/** Ends the halt() of all other cores. */
export function wakeOthers(): void {
  volatile.store<u32>(COMMAND, WAKE_OTHERS | u32(WAKE_VECTOR));
}

/** Sleeps until an interrupt: none that came since the last time is missed. */
export function halt(): void {
  sti(); // takes effect after the next instruction: no interrupt slips in before the CPU halts
  hlt();
  cli();
}

/** @interrupt */
function onMessage(_frame: Ptr<u64>): void {
  volatile.store<u32>(END_OF_INTERRUPT, 0);
}

/** Wants no end of interrupt. @interrupt */
function onSpurious(_frame: Ptr<u64>): void {}
