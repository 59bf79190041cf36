/**
 * The CPU variants that a program was compiled for. The build makes these constants
 * (src/toolchain/variants.ts); this file is what `tsc` sees of them.
 */
export declare const VARIANTS: i32;
/** [VARIANTS], as `mu --cpu` says them; the last that the CPU can run is the best. */
export declare const VARIANT_NAMES: FixedArray<string>;
/** [VARIANTS] features that code of each needs, of the first all of the program. */
export declare const VARIANT_NEEDS: FixedArray<u32>;

// The features: bits of what `cpuFeatures` of "machine" answers
export declare const FEATURE_AVX_VNNI: u32;
export declare const FEATURE_AVX512_VNNI: u32;
export declare const FEATURE_EMULATED: u32; // by QEMU: simple instructions are the fast ones
export declare const FEATURE_WANTS_PREFETCH: u32; // the CPU wants to be told what memory to fetch
/** By bit, those that a variant can need, as people know them. */
export declare const FEATURE_NAMES: FixedArray<string>;
