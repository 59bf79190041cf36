import { addText, type Line } from '../line.ts';
import { stopWith } from '../panic.ts';

/**
 * What the image needs of its CPU, and switching it on. The compiler uses every instruction of x86-64-v3 (System V ABI,
 * AMD64, table 3.1), so what runs here runs before anything else and uses none of them.
 */
const OSFXSR: u64 = 1 << 9;
const OSXMMEXCPT: u64 = 1 << 10;
const OSXSAVE: u64 = 1 << 18;

const MONITOR_COPROCESSOR: u64 = 1 << 1;
const EMULATION: u64 = 1 << 2;
const TASK_SWITCHED: u64 = 1 << 3;
const NUMERIC_ERROR: u64 = 1 << 5;
export const WRITE_PROTECT: u64 = 1 << 16;
const NOT_WRITE_THROUGH: u64 = 1 << 29;
const CACHE_DISABLE: u64 = 1 << 30;

/** XCR0: x87, SSE, AVX; and the three parts of AVX-512 (opmask, upper halves, upper registers). */
const XCR0_AVX: u64 = 0x07;
const XCR0_AVX512: u64 = 0xe0;

/** All exceptions masked, round to nearest even, subnormals kept: what docs/language.md promises. */
const MXCSR_DEFAULT: u32 = 0x1f80;

const EFER: u32 = 0xc0000080;
const EFER_NO_EXECUTE: u64 = 1 << 11;

/** cpuid's answer */
export class Leaf {
  eax!: u32;
  ebx!: u32;
  ecx!: u32;
  edx!: u32;
}

/** All zero for a leaf that the CPU does not have. @generalRegisters */
export function readLeaf(out: Ptr<Leaf>, leaf: u32, subleaf: u32): void {
  cpu.cpuid(leaf & 0xffff0000, 0, ref(out.eax));
  const last = out.eax;
  out.eax = 0;
  out.ebx = 0;
  out.ecx = 0;
  out.edx = 0;
  if (leaf <= last) cpu.cpuid(leaf, subleaf, ref(out.eax));
}

/** Stops with a message if the CPU lacks an instruction set that the image was compiled for. @generalRegisters */
export function requireFeatures(): void {
  const leaf = zeroed<Leaf>();
  readLeaf(ref(leaf), 1, 0);
  requireBit(leaf.ecx, 0, 'SSE3');
  requireBit(leaf.ecx, 9, 'SSSE3');
  requireBit(leaf.ecx, 12, 'FMA');
  requireBit(leaf.ecx, 13, 'CMPXCHG16B');
  requireBit(leaf.ecx, 19, 'SSE4.1');
  requireBit(leaf.ecx, 20, 'SSE4.2');
  requireBit(leaf.ecx, 22, 'MOVBE');
  requireBit(leaf.ecx, 23, 'POPCNT');
  requireBit(leaf.ecx, 26, 'XSAVE');
  requireBit(leaf.ecx, 28, 'AVX');
  requireBit(leaf.ecx, 29, 'F16C');
  readLeaf(ref(leaf), 7, 0);
  requireBit(leaf.ebx, 3, 'BMI1');
  requireBit(leaf.ebx, 5, 'AVX2');
  requireBit(leaf.ebx, 8, 'BMI2');
  readLeaf(ref(leaf), 0x80000001, 0);
  requireBit(leaf.ecx, 5, 'LZCNT');
  requireBit(leaf.edx, 20, 'NX');
}

/** @generalRegisters */
function requireBit(register: u32, bit: u32, name: string): void {
  if (((register >> bit) & 1) != 0) return;
  const line = zeroed<Line>();
  addText(ref(line), '\npanic: this CPU has no ');
  addText(ref(line), name);
  addText(ref(line), '; the image is compiled for x86-64-v3 (AVX2, FMA). In QEMU: -cpu max\n');
  stopWith(ref(line));
}

/** Caches, vector registers as wide as the CPU has them, no-execute and write protection. @generalRegisters */
export function enableFeatures(): void {
  const off = EMULATION | TASK_SWITCHED | NOT_WRITE_THROUGH | CACHE_DISABLE;
  const on = MONITOR_COPROCESSOR | NUMERIC_ERROR | WRITE_PROTECT;
  cpu.writeCr0((cpu.readCr0() & ~off) | on);
  cpu.writeCr4(cpu.readCr4() | OSFXSR | OSXMMEXCPT | OSXSAVE);
  const leaf = zeroed<Leaf>();
  readLeaf(ref(leaf), 0x0d, 0);
  const hasAvx512 = (u64(leaf.eax) & XCR0_AVX512) == XCR0_AVX512;
  cpu.xsetbv(0, hasAvx512 ? XCR0_AVX | XCR0_AVX512 : XCR0_AVX);
  cpu.fninit();
  cpu.ldmxcsr(MXCSR_DEFAULT);
  cpu.wrmsr(EFER, cpu.rdmsr(EFER) | EFER_NO_EXECUTE);
}
