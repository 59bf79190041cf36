/**
 * Which CPU levels a program was compiled for. The build makes these constants (src/toolchain/guest.ts); this file is what `tsc` sees of them.
 * A further unit is guest/engine/transformer.ts and the kernels, compiled once more: its functions' symbols end in its name.
 */
// The main unit, and so all of the program, needs more than x86-64-v3
export declare const NEEDS_AVXVNNI: bool;
export declare const NEEDS_AVX512VNNI: bool;
// Further units that are linked
export declare const HAS_AVX2: bool;
export declare const HAS_AVXVNNI: bool;
export declare const HAS_AVX512VNNI: bool;
