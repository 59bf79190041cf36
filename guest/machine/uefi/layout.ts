/** The image's header, from its start: link.ld writes three ends, of code, constants and image. */
export const HEADER: usize = 0x1000;
export const CODE_END: usize = 0x1000;
export const CONSTANTS_END: usize = 0x1008;
export const IMAGE_END: usize = 0x1010;
/**
 * src/toolchain/pe.ts writes where the pack begins and how long it is; 0: it lies in a file of its
 * own.
 */
export const PACK_START: usize = 0x1018;
export const PACK_BYTES: usize = 0x1020;
