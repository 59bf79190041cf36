/** Instructions that every processor has in some form. */

/** Hint in a loop that spins. @inline */
export function pause(): void {
  asm('pause', { memory: false });
}

/**
 * A counter of the CPU's own that runs at a constant rate: the time stamp counter. arch/clock knows
 * the rate.
 * @inline
 */
export function readTicks(): u64 {
  let low: u32 = 0;
  let high: u32 = 0;
  asm('rdtsc', { out: { eax: low, edx: high } });
  return (u64(high) << 32) | u64(low);
}

/**
 * Goes on with entry(argument) on the stack that ends at `end`, a multiple of 64; entry may not
 * return: that traps.
 * @noinline
 * @generalRegisters
 */
export function moveToStack(end: usize, entry: (argument: usize) => void, argument: usize): never {
  asm(
    `
    mov %rax, %rsp
    xor %ebp, %ebp
    call *%rdx
    `,
    { in: { rax: end, rdx: entry, rdi: argument } },
  );
  unreachable();
}
