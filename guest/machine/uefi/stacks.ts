import { CORE_STACK_BYTES, MOST_CORES } from '../limits.ts';

/**
 * Stacks of our own, each with a page below that nobody may touch: first those of the other cores,
 * then the first one's, which firmware may ask 128 KiB of (UEFI 2.10, 2.3.4).
 */
const FIRST_BYTES: usize = 262144;
const BYTES: usize = FIRST_BYTES + usize(MOST_CORES - 1) * CORE_STACK_BYTES;

/** @align 4096 */
const stacks = zeroed<FixedArray<u8, typeof BYTES>>();

/** The end of a core's stack. @generalRegisters */
export function stackEnd(core: usize): usize {
  const start = changetype<usize>(ref(stacks[0]));
  return core == 0 ? start + BYTES : start + core * CORE_STACK_BYTES;
}

/** Address of the page below a core's stack, its own lowest one. */
export function stackGuard(core: usize): usize {
  return stackEnd(core) - (core == 0 ? FIRST_BYTES : CORE_STACK_BYTES);
}
