import { CORE_STACK_BYTES } from '../../machine/limits.ts';
import { HIGHER_HALF } from './layout.ts';

/**
 * How a PC's other processors begin: Intel SDM vol. 3, 9.4 (multiple-processor initialization).
 *
 * A start-up IPI has a processor begin at the start of a page below 1 MiB, in real mode. What must
 * lie in that page only brings it to 32-bit mode, flat segments, paging off; the rest is the
 * program's. From there it goes the first one's way to 64 bits (pvhEntry.ts), by its descriptors
 * and page tables, takes the next number and the stack of that number, and calls the program.
 *
 * `startOther` is the machine's, by that @symbol: (number: usize) => void. number: 0 for the first
 * one to come, 1, …; its stack ends (number + 1) · CORE_STACK_BYTES above `stack_guard` of the
 * machine's link.ld. Flat segments (code 08, data 10), interrupts off. If it returns, the processor
 * halts.
 */

/** Bytes of the code that the page must have. */
export const STARTUP_BYTES: usize = 64;

let nextNumber: u64 = 0;

asm(
  `
  .section .rodata.startup, "a"
startup_code:
  .code16
  cli
  cld
  mov %cs, %ax
  mov %ax, %ds
  lgdtl startup_gdt_pointer - startup_code
  mov %cr0, %eax
  or $1, %al                  # CR0.PE
  mov %eax, %cr0
  ljmpl $0x18, $startup_protected - {HIGHER_HALF}
startup_gdt_pointer:
  .word 31
  .long pvh_gdt - {HIGHER_HALF}
  .skip {STARTUP_BYTES} - (. - startup_code)

  .section .text.startup, "ax"
  .code32
startup_protected:
  mov $0x10, %eax
  mov %eax, %ds
  mov $startup_long - {HIGHER_HALF}, %esi
  jmp pvh_go_long
  .code64
startup_long:
  mov $1, %edi
  lock xadd %rdi, {nextNumber}
  lea 1(%rdi), %rsp
  imul $\{CORE_STACK_BYTES}, %rsp
  add $stack_guard, %rsp
  xor %ebp, %ebp
  mov $startOther, %rax
  call *%rax
  jmp pvh_stop
  `,
  { use: { HIGHER_HALF, STARTUP_BYTES, CORE_STACK_BYTES, nextNumber } },
);

/** Where the STARTUP_BYTES of code lie that the page must begin with. @generalRegisters */
export function startupCode(): usize {
  let code: usize = 0;
  asm('mov $startup_code, {code}', { out: { code }, memory: false });
  return code;
}
