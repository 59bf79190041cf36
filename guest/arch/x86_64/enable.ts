import { type Leaf, readLeaf, requireBit, XCR0_AVX, XCR0_AVX512 } from './features.ts';
import {
  fninit,
  ldmxcsr,
  rdmsr,
  readCr0,
  readCr4,
  writeCr0,
  writeCr4,
  wrmsr,
  xsetbv,
} from './instructions.ts';

/** Switching on what the CPU has: it comes with little more than its general registers. */
const OSFXSR: u64 = 1 << 9;
const OSXMMEXCPT: u64 = 1 << 10;
const OSXSAVE: u64 = 1 << 18;
/** A machine check becomes an exception; without it the CPU shuts down. */
const MACHINE_CHECK: u64 = 1 << 6;

const MONITOR_COPROCESSOR: u64 = 1 << 1;
const EMULATION: u64 = 1 << 2;
const TASK_SWITCHED: u64 = 1 << 3;
const NUMERIC_ERROR: u64 = 1 << 5;
const WRITE_PROTECT: u64 = 1 << 16;
const NOT_WRITE_THROUGH: u64 = 1 << 29;
const CACHE_DISABLE: u64 = 1 << 30;

/**
 * All exceptions masked, round to nearest even, subnormals kept: what docs/language.md promises.
 */
const MXCSR_DEFAULT: u32 = 0x1f80;

const EFER: u32 = 0xc0000080;
const EFER_NO_EXECUTE: u64 = 1 << 11;

/**
 * Caches, vector registers as wide as the CPU has them, no-execute and write protection.
 * @generalRegisters
 */
export function enableFeatures(): void {
  const off = EMULATION | TASK_SWITCHED | NOT_WRITE_THROUGH | CACHE_DISABLE;
  const on = MONITOR_COPROCESSOR | NUMERIC_ERROR | WRITE_PROTECT;
  writeCr0((readCr0() & ~off) | on);
  const leaf = zeroed<Leaf>();
  readLeaf(ref(leaf), 1, 0);
  const machineCheck = (leaf.edx & 0x80) != 0 ? MACHINE_CHECK : 0;
  writeCr4(readCr4() | OSFXSR | OSXMMEXCPT | OSXSAVE | machineCheck);
  readLeaf(ref(leaf), 0x0d, 0);
  const hasAvx512 = (u64(leaf.eax) & XCR0_AVX512) == XCR0_AVX512;
  xsetbv(0, hasAvx512 ? XCR0_AVX | XCR0_AVX512 : XCR0_AVX);
  fninit();
  ldmxcsr(MXCSR_DEFAULT);
  readLeaf(ref(leaf), 0x80000001, 0);
  requireBit(leaf.edx, 20, 'NX');
  wrmsr(EFER, rdmsr(EFER) | EFER_NO_EXECUTE);
}
