/**
 * CPU variants: a program holds the transformer once for each, and takes the last that its CPU can
 * run (guest/engine/forward.ts). A new variant is a row here, and its dot products in
 * guest/kernels/dots/<name>.ts; an instruction set that no row has asked for yet is a row of
 * FEATURES too, and a question to the CPU in guest/arch/<cpu>/features.ts.
 */
import { join } from 'node:path';
import type { Constants } from '../compiler/index.ts';
import type { TargetName } from './architectures.ts';
import { PROJECT_ROOT } from './cache.ts';

/** What a variant may need of a CPU, by the name that people know it by. */
const FEATURES = {
  AVX_VNNI: 'AVX-VNNI',
  AVX512_VNNI: 'AVX-512 VNNI',
} as const;
type Feature = keyof typeof FEATURES;

/**
 * What a CPU is like. EMULATED: by QEMU, where simple instructions are the fast ones.
 * WANTS_PREFETCH: it fetches too little of what is read in order by itself.
 */
const TRAITS = ['EMULATED', 'WANTS_PREFETCH'] as const;

/** A guest tells both as one set, a bit each in this order: FEATURE_AVX_VNNI is 1. */
const BITS: readonly string[] = [...Object.keys(FEATURES), ...TRAITS];

export interface Variant {
  /**
   * as `--cpu` says it; its symbols end in it, and its dot products lie in
   * guest/kernels/dots/<name>.ts
   */
  name: string;
  arch: TargetName;
  /** clang's arguments */
  clang: readonly string[];
  /** flags in /proc/cpuinfo that must all be there */
  cpuinfo: readonly string[];
  /** what the guest must find, beyond what every program of the architecture needs */
  features: readonly Feature[];
}

/**
 * What every variant needs of the CPU: x86-64-v3, by its names in /proc/cpuinfo that are not
 * implied by others.
 */
const V3 = ['avx2', 'bmi2', 'fma', 'movbe', 'f16c'] as const;
const AVX512 = ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl', 'avx512_vnni'] as const;

/**
 * In order of preference, the best last. An architecture's first needs no features: it is what all
 * of a program is compiled for, the reference, and what an emulator runs best. Preferring 512-bit
 * registers matters: x86-64-v4 alone tunes for CPUs that slow down with them, and would split every
 * 64-byte vector.
 */
export const VARIANTS = [
  {
    name: 'portable',
    arch: 'x86_64',
    clang: ['-march=x86-64-v3'],
    cpuinfo: V3,
    features: [],
  },
  {
    name: 'avx2',
    arch: 'x86_64',
    clang: ['-march=x86-64-v3'],
    cpuinfo: V3,
    features: [],
  },
  {
    name: 'avxvnni',
    arch: 'x86_64',
    clang: ['-march=x86-64-v3', '-mavxvnni'],
    cpuinfo: [...V3, 'avx_vnni'],
    features: ['AVX_VNNI'],
  },
  {
    name: 'avx512vnni',
    arch: 'x86_64',
    clang: ['-march=x86-64-v4', '-mavx512vnni', '-mprefer-vector-width=512'],
    cpuinfo: [...V3, ...AVX512],
    features: ['AVX512_VNNI'],
  },
] as const satisfies readonly Variant[];
export type VariantName = (typeof VARIANTS)[number]['name'];
export const VARIANT_NAMES = VARIANTS.map(({ name }) => name);

/** An architecture's variants, the one that all of a program is compiled for first. */
export function variantsOf(arch: TargetName): readonly Variant[] {
  return VARIANTS.filter((variant: Variant) => variant.arch === arch);
}

export function variantNamed(name: VariantName): Variant {
  return VARIANTS.find((variant) => variant.name === name) as Variant;
}

/** What all of a program is compiled for unless one variant is asked for. */
export const BASE_VARIANT: Variant = VARIANTS[0];

/** The file behind a variant's bare name "dots". */
export function dotsOf({ name }: Variant): string {
  return join(PROJECT_ROOT, 'guest/kernels/dots', `${name}.ts`);
}

/**
 * The module "variants" (guest/variants.d.ts) of a program that has these, the main unit's first.
 */
export function variantConstants(variants: readonly Variant[]): Constants {
  const bit = (feature: string) => 1 << BITS.indexOf(feature);
  const needs = variants.map(({ features }) => features.reduce((set, name) => set | bit(name), 0));
  const bits = BITS.map((name) => [`FEATURE_${name}`, { type: 'u32', value: bit(name) }]);
  return {
    VARIANTS: variants.length,
    VARIANT_NAMES: variants.map(({ name }) => name),
    VARIANT_NEEDS: { type: 'u32', value: needs },
    FEATURE_NAMES: Object.values(FEATURES),
    ...Object.fromEntries(bits),
  };
}
