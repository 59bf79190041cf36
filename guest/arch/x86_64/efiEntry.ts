/**
 * The entry of an EFI application. UEFI 2.10, 4.1: the image's handle and the system table as the
 * first two arguments, by the firmware's calling convention (2.3.4), which is Microsoft's. start()
 * does not come back, so what it must keep for firmware is not kept.
 *
 * `start` is the machine's, by that @symbol: (image: usize, table: usize) => void, on the
 * firmware's stack. image: its handle; table: address of EFI_SYSTEM_TABLE.
 */

asm(
  `
  .section .text._start, "ax"
  .globl _start
_start:
  mov %rcx, %rdi
  mov %rdx, %rsi
  and $-64, %rsp
  xor %ebp, %ebp
  call start
  ud2
`,
);
