/** Addresses and ports that every x86-64 machine of ours relies on. */

/** Local APIC, where it lies after reset (Intel SDM vol. 3, 11.4.1). */
export const LOCAL_APIC: usize = 0xfee00000;

/** I/O ports. */
export const COM1: u16 = 0x3f8;
/**
 * Where we put QEMU's device `isa-debug-exit` (src/toolchain/qemu.ts): a code that is written there
 * ends QEMU with 2 × code + 1. Elsewhere nobody listens: on PCs of old the port was a
 * coprocessor's.
 */
export const DEBUG_EXIT: u16 = 0xf4;

/**
 * What an address of a PC's image is larger by than where PVH's loaders have put it: link.ld of
 * guest/machine/pc.
 */
export const HIGHER_HALF: usize = 0xffffffff80000000;
