import { rdmsr, readCr0, readCr3, readCr4 } from './instructions.ts';
import { HIGHER_HALF } from './layout.ts';

/**
 * How a PC's other processors begin: Intel SDM vol. 3, 9.4 (multiple-processor initialization) and
 * 10.8.5 (IA-32e mode).
 *
 * A start-up IPI has a processor begin at the start of a page below 1 MiB, in real mode. What must
 * lie in that page only brings it to 32-bit mode, flat segments, paging off; the rest is the
 * program's. There the processor takes over the control registers and EFER that the caller of
 * startupCode() had, paging and long mode among them, takes the next number and the stack of that
 * number, and calls the program. Descriptors are marked as accessed: nobody writes to the table.
 */

/** Bytes of the code that the page must have. */
export const STARTUP_BYTES: usize = 64;

const EFER: u32 = 0xc0000080;
/** LMA comes by itself. */
const LONG_MODE_ACTIVE: u64 = 0x400;

let cr0: u64 = 0;
let cr3: u64 = 0;
let cr4: u64 = 0;
let efer: u64 = 0;
let nextNumber: u64 = 0;
let firstStack: usize = 0;
let bytesOfStack: usize = 0;
let enter: (number: usize) => void = null;

asm(
  `
  .section .rodata.startup, "a"
  .balign 16
startup_gdt:
  .quad 0
  .quad 0x00af9b000000ffff    # 08: 64-bit code
  .quad 0x00cf93000000ffff    # 10: data
  .quad 0x00cf9b000000ffff    # 18: 32-bit code
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
  .long startup_gdt - {HIGHER_HALF}
  .skip {STARTUP_BYTES} - (. - startup_code)

  .section .text.startup, "ax"
  .code32
startup_protected:
  mov $0x10, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  mov {cr4} - {HIGHER_HALF}, %eax
  mov %eax, %cr4
  mov {cr3} - {HIGHER_HALF}, %eax
  mov %eax, %cr3
  mov $0xc0000080, %ecx       # EFER
  mov {efer} - {HIGHER_HALF}, %eax
  xor %edx, %edx
  wrmsr
  mov {cr0} - {HIGHER_HALF}, %eax
  mov %eax, %cr0
  ljmp $0x08, $startup_long - {HIGHER_HALF}
  .code64
startup_long:
  mov $startup_high, %rax
  jmp *%rax
startup_high:
  xor %eax, %eax
  mov %eax, %fs
  mov %eax, %gs
  mov $1, %edi
  lock xadd %rdi, {nextNumber}
  lea 1(%rdi), %rsp
  imul {bytesOfStack}, %rsp
  add {firstStack}, %rsp
  xor %ebp, %ebp
  call *{enter}
startup_stop:
  cli
  hlt
  jmp startup_stop
  `,
  {
    use: {
      HIGHER_HALF,
      STARTUP_BYTES,
      cr0,
      cr3,
      cr4,
      efer,
      nextNumber,
      firstStack,
      bytesOfStack,
      enter,
    },
  },
);

/**
 * Address of STARTUP_BYTES of code that a processor can start with. Once they are copied to the
 * start of a page below 1 MiB, a start-up IPI (SIPI) that names the page brings a processor to
 * 64-bit mode with the CR0, CR3, CR4 and EFER that the caller has now (page tables like those that
 * the PVH entry begins with, below 4 GiB), flat segments (code 08, data 10), interrupts off. Each
 * takes itself a number: 0 for the first one to come, 1, …; it calls entry(number) on the stack
 * that ends at stacks + (number + 1) · stackBytes, and halts if that returns. stacks, stackBytes:
 * multiples of 16.
 * @noinline
 * @generalRegisters
 */
export function startupCode(
  entry: (number: usize) => void,
  stacks: usize,
  stackBytes: usize,
): usize {
  cr0 = readCr0();
  cr3 = readCr3();
  cr4 = readCr4();
  efer = rdmsr(EFER) & ~LONG_MODE_ACTIVE;
  firstStack = stacks;
  bytesOfStack = stackBytes;
  enter = entry;
  let code: usize = 0;
  asm('mov $startup_code, {code}', { out: { code }, memory: false });
  return code;
}
