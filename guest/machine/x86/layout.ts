/** Addresses and ports that every x86-64 machine of ours relies on, and how many cores it takes. */

/** Local APIC, where it lies after reset (Intel SDM vol. 3, 11.4.1). */
export const LOCAL_APIC: usize = 0xfee00000;

/** I/O ports. */
export const COM1: u16 = 0x3f8;
/**
 * Where we put QEMU's device `isa-debug-exit` (src/toolchain/qemu.ts): a code that is written there ends QEMU with 2 × code + 1. Elsewhere nobody listens:
 * on PCs of old the port was a coprocessor's.
 */
export const DEBUG_EXIT: u16 = 0xf4;

/** A core's jobs need a few KiB of stack; a process gives its threads as much. Each begins with a page that nobody may touch. */
export const MOST_CORES: i32 = 16;
export const CORE_STACK_BYTES: usize = 32768;
