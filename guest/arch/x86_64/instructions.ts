/**
 * x86-64 instructions by their own names, for what only this processor has: Intel SDM, volume 2,
 * describes each.
 */

/** Sleeps until an interrupt. @inline */
export function hlt(): void {
  asm('hlt');
}

/** Interrupts off. @inline */
export function cli(): void {
  asm('cli');
}

/** Interrupts on, after the next instruction. @inline */
export function sti(): void {
  asm('sti');
}

/** Breakpoint exception. @inline */
export function int3(): void {
  asm('int3');
}

/** out: eax, ebx, ecx, edx. @inline */
export function cpuid(leaf: u32, subleaf: u32, out: Ptr<u32>): void {
  let a: u32 = 0;
  let b: u32 = 0;
  let c: u32 = 0;
  let d: u32 = 0;
  asm('cpuid', {
    in: { eax: leaf, ecx: subleaf },
    out: { eax: a, ebx: b, ecx: c, edx: d },
    memory: false,
  });
  out[0] = a;
  out[1] = b;
  out[2] = c;
  out[3] = d;
}

/** @inline */
export function rdmsr(register: u32): u64 {
  let low: u32 = 0;
  let high: u32 = 0;
  asm('rdmsr', { in: { ecx: register }, out: { eax: low, edx: high } });
  return (u64(high) << 32) | u64(low);
}

/** @inline */
export function wrmsr(register: u32, value: u64): void {
  const low = u32(value & 0xffffffff);
  asm('wrmsr', { in: { ecx: register, eax: low, edx: u32(value >> 32) } });
}

/** Extended control register; 0: XCR0, the state that the system saves. @inline */
export function xgetbv(register: u32): u64 {
  let low: u32 = 0;
  let high: u32 = 0;
  asm('xgetbv', { in: { ecx: register }, out: { eax: low, edx: high } });
  return (u64(high) << 32) | u64(low);
}

/** @inline */
export function xsetbv(register: u32, value: u64): void {
  const low = u32(value & 0xffffffff);
  asm('xsetbv', { in: { ecx: register, eax: low, edx: u32(value >> 32) } });
}

/** @inline */
export function readCr0(): u64 {
  let value: u64 = 0;
  asm('mov %cr0, {value}', { out: { value }, memory: false });
  return value;
}

/** The address that a page fault is about. @inline */
export function readCr2(): u64 {
  let value: u64 = 0;
  asm('mov %cr2, {value}', { out: { value }, memory: false });
  return value;
}

/** @inline */
export function readCr4(): u64 {
  let value: u64 = 0;
  asm('mov %cr4, {value}', { out: { value }, memory: false });
  return value;
}

/** @inline */
export function writeCr0(value: u64): void {
  asm('mov {value}, %cr0', { in: { value } });
}

/** @inline */
export function writeCr4(value: u64): void {
  asm('mov {value}, %cr4', { in: { value } });
}

/** Operand of the four below: where a descriptor table lies. @packed */
export class TableRegister {
  limit!: u16;
  base!: usize;
}

/** @inline */
export function lidt(table: Ptr<TableRegister>): void {
  asm('lidt ({table})', { in: { table } });
}

/** @inline */
export function lgdt(table: Ptr<TableRegister>): void {
  asm('lgdt ({table})', { in: { table } });
}

/** Stores which table is in use. @inline */
export function sidt(table: Ptr<TableRegister>): void {
  asm('sidt ({table})', { in: { table } });
}

/** @inline */
export function sgdt(table: Ptr<TableRegister>): void {
  asm('sgdt ({table})', { in: { table } });
}

/** @inline */
export function ltr(selector: u16): void {
  asm('ltr {selector}', { in: { selector } });
}

/** @inline */
export function readCodeSelector(): u16 {
  let selector: u16 = 0;
  asm('mov %cs, {selector}', { out: { selector }, memory: false });
  return selector;
}

/** The x87 unit as after reset. @inline */
export function fninit(): void {
  asm('fninit', { memory: false });
}

/** Control and status of the vector unit. @inline */
export function ldmxcsr(value: u32): void {
  const place = ref(value);
  asm('ldmxcsr ({place})', { in: { place } });
}
