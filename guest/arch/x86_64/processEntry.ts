/**
 * The entry of a Linux process. System V ABI, AMD64, 3.4.1: the stack pointer points to argc; it
 * must be aligned before the first call.
 *
 * `start` is the machine's, by that @symbol: (stack: Ptr<usize>) => void. stack: argc, argv[0] …
 * argv[argc - 1], 0, environment …, as the kernel left it.
 */

asm(
  `
  .section .text._start, "ax"
  .globl _start
_start:
  xor %ebp, %ebp
  mov %rsp, %rdi
  and $-64, %rsp
  call start
  ud2
`,
);
