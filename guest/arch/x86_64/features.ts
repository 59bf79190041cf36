import {
  FEATURE_AVX_VNNI,
  FEATURE_AVX512_VNNI,
  FEATURE_EMULATED,
  FEATURE_NAMES,
  FEATURE_WANTS_PREFETCH,
  VARIANT_NEEDS,
} from 'variants';
import { addText, type Line } from '../../machine/line.ts';
import { stopWith } from '../../machine/panic.ts';
import { cpuid, xgetbv } from './instructions.ts';

/*
 * What an x86-64 CPU can do (Intel SDM volume 2, CPUID), and whether that is enough. All of a
 * program uses every instruction of its first variant, from x86-64-v3 on (System V ABI, AMD64,
 * table 3.1): what is asked here is asked before any of them runs.
 */

/**
 * XCR0, state that the system saves, so that its registers work: x87, SSE, AVX; and AVX-512's
 * opmask, upper halves, upper registers.
 */
export const XCR0_AVX: u64 = 0x07;
export const XCR0_AVX512: u64 = 0xe0;

const OSXSAVE: u32 = 27;

/** cpuid's answer */
export class Leaf {
  eax!: u32;
  ebx!: u32;
  ecx!: u32;
  edx!: u32;
}

/** All zero for a leaf that the CPU does not have. @generalRegisters */
export function readLeaf(out: Ptr<Leaf>, leaf: u32, subleaf: u32): void {
  cpuid(leaf & 0xffff0000, 0, ref(out.eax));
  const last = out.eax;
  out.eax = 0;
  out.ebx = 0;
  out.ecx = 0;
  out.edx = 0;
  if (leaf <= last) cpuid(leaf, subleaf, ref(out.eax));
}

/**
 * Stops with a message if the CPU lacks an instruction set that the program is compiled for.
 * @generalRegisters
 */
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
  const needed = VARIANT_NEEDS[0];
  if (needed == 0) return;
  const lacking = needed & ~knownFeatures();
  if (lacking != 0) lacks(FEATURE_NAMES[ctz(lacking)], true);
}

/**
 * Stops with a message if the system does not save the vector registers that the program uses.
 * @generalRegisters
 */
export function requireState(): void {
  if (!hasState(XCR0_AVX)) lacks('AVX registers switched on', false);
  if ((VARIANT_NEEDS[0] & FEATURE_AVX512_VNNI) != 0 && !hasState(XCR0_AVX | XCR0_AVX512))
    lacks('AVX-512 switched on', true);
}

/** @generalRegisters */
export function requireBit(register: u32, bit: u32, name: string): void {
  if (!isSet(register, bit)) lacks(name, false);
}

/** isChosen: only the variant that was asked for needs it, not every program. @generalRegisters */
function lacks(name: string, isChosen: bool): void {
  const line = zeroed<Line>();
  addText(ref(line), '\npanic: this CPU has no ');
  addText(ref(line), name);
  addText(ref(line), '; the program is compiled for ');
  if (isChosen) addText(ref(line), 'such a CPU only: without --cpu it runs on others too\n');
  else addText(ref(line), 'x86-64-v3 (AVX2, FMA). In QEMU: -cpu max\n');
  stopWith(ref(line));
}

/** Whether a leaf of cpuid names this maker. */
function isMadeBy(leafNumber: u32, ebx: u32, ecx: u32, edx: u32): bool {
  const leaf = zeroed<Leaf>();
  readLeaf(ref(leaf), leafNumber, 0);
  return leaf.ebx == ebx && leaf.ecx == ecx && leaf.edx == edx;
}

/**
 * The FEATURE_ bits of this CPU, of which code can make use here: the system saves the registers
 * that it takes.
 */
export function cpuFeatures(): u32 {
  let features = knownFeatures();
  if (!hasState(XCR0_AVX | XCR0_AVX512)) features &= ~FEATURE_AVX512_VNNI;
  // TCGTCGTCGTCG: QEMU's emulator, where hypervisors leave their names
  const isEmulated = isMadeBy(0x40000000, 0x54474354, 0x43544743, 0x47435447);
  // GenuineIntel: they fetch too little by themselves, AMD's enough (guest/kernels/prefetch.ts)
  const isIntel = isMadeBy(0, 0x756e6547, 0x6c65746e, 0x49656e69);
  if (isEmulated) features |= FEATURE_EMULATED;
  if (isIntel) features |= FEATURE_WANTS_PREFETCH;
  return features;
}

/**
 * The features that variants may need, as cpuid has them. Leaf 7.0: ebx bits 16 F, 17 DQ, 28 CD, 30
 * BW, 31 VL, ecx bit 11 AVX512_VNNI; eax: its last subleaf. Leaf 7.1: eax bit 4 AVX-VNNI.
 * @generalRegisters
 */
function knownFeatures(): u32 {
  const leaf = zeroed<Leaf>();
  readLeaf(ref(leaf), 7, 0);
  const parts: u32 = 0xd0030000;
  const hasAvx512Vnni = (leaf.ebx & parts) == parts && isSet(leaf.ecx, 11);
  let features: u32 = hasAvx512Vnni ? FEATURE_AVX512_VNNI : 0;
  if (leaf.eax < 1) return features;
  readLeaf(ref(leaf), 7, 1);
  if (isSet(leaf.eax, 4)) features |= FEATURE_AVX_VNNI;
  return features;
}

/** @generalRegisters */
function hasState(parts: u64): bool {
  const leaf = zeroed<Leaf>();
  readLeaf(ref(leaf), 1, 0);
  return isSet(leaf.ecx, OSXSAVE) && (xgetbv(0) & parts) == parts;
}

/** @generalRegisters */
function isSet(register: u32, bit: u32): bool {
  return ((register >> bit) & 1) != 0;
}
