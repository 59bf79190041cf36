/** How a PC's other processors begin, and how any begins anew on a stack of the program's own: Intel SDM vol. 3, 9.4 (multiple-processor initialization) and 10.8.5 (IA-32e mode). */

import type { Intrinsic } from './intrinsic.ts';

/** A PC's program is linked so far above where it is loaded: in the top 2 GiB, which code reaches by sign-extended 32-bit addresses. */
export const HIGHER_HALF = '0xffffffff80000000';

/**
 * A start-up IPI has a processor begin at the start of a page below 1 MiB, in real mode. What must lie in that page only
 * brings it to 32-bit mode, flat segments, paging off; the rest is the program's. There the processor takes over the control
 * registers and EFER that the caller of cpu.startupCode had, paging and long mode among them, takes the next number and the
 * stack of that number, and calls the program. Descriptors are marked as accessed: nobody writes to the table.
 */
const CODE = `__asm__(
    ".section .rodata.startup, \\"a\\"\\n"
    ".balign 16\\n"
    "startup_gdt:\\n"
    ".quad 0\\n"
    ".quad 0x00af9b000000ffff\\n" // 08: 64-bit code
    ".quad 0x00cf93000000ffff\\n" // 10: data
    ".quad 0x00cf9b000000ffff\\n" // 18: 32-bit code
    "startup_code:\\n"
    ".code16\\n"
    "cli\\n"
    "cld\\n"
    "mov %cs, %ax\\n"
    "mov %ax, %ds\\n"
    "lgdtl startup_gdt_pointer - startup_code\\n"
    "mov %cr0, %eax\\n"
    "or $1, %al\\n" // CR0.PE
    "mov %eax, %cr0\\n"
    "ljmpl $0x18, $startup_protected - ${HIGHER_HALF}\\n"
    "startup_gdt_pointer:\\n"
    ".word 31\\n"
    ".long startup_gdt - ${HIGHER_HALF}\\n"
    ".skip 64 - (. - startup_code)\\n"
    ".section .text.startup, \\"ax\\"\\n"
    ".code32\\n"
    "startup_protected:\\n"
    "mov $0x10, %eax\\n"
    "mov %eax, %ds\\n"
    "mov %eax, %es\\n"
    "mov %eax, %ss\\n"
    "mov startup_cr4 - ${HIGHER_HALF}, %eax\\n"
    "mov %eax, %cr4\\n"
    "mov startup_cr3 - ${HIGHER_HALF}, %eax\\n"
    "mov %eax, %cr3\\n"
    "mov $0xc0000080, %ecx\\n" // EFER
    "mov startup_efer - ${HIGHER_HALF}, %eax\\n"
    "xor %edx, %edx\\n"
    "wrmsr\\n"
    "mov startup_cr0 - ${HIGHER_HALF}, %eax\\n"
    "mov %eax, %cr0\\n"
    "ljmp $0x08, $startup_long - ${HIGHER_HALF}\\n"
    ".code64\\n"
    "startup_long:\\n"
    "mov $startup_high, %rax\\n"
    "jmp *%rax\\n"
    "startup_high:\\n"
    "xor %eax, %eax\\n"
    "mov %eax, %fs\\n"
    "mov %eax, %gs\\n"
    "mov $1, %edi\\n"
    "lock xadd %rdi, startup_number\\n"
    "lea 1(%rdi), %rsp\\n"
    "imul startup_stackBytes, %rsp\\n"
    "add startup_stacks, %rsp\\n"
    "xor %ebp, %ebp\\n"
    "call *startup_entry\\n"
    "startup_stop:\\n"
    "cli\\n"
    "hlt\\n"
    "jmp startup_stop\\n"
    ".text\\n");
u64 startup_cr0, startup_cr3, startup_cr4, startup_efer, startup_number, startup_stacks, startup_stackBytes;
void (*startup_entry)(usize);
extern const u8 startup_code[];
static __attribute__((noinline, target("general-regs-only"))) usize cpu_startupCode(void (*entry)(usize), usize stacks, usize stackBytes) {
  u32 low, high;
  __asm__ volatile("mov %%cr0, %0" : "=r"(startup_cr0));
  __asm__ volatile("mov %%cr3, %0" : "=r"(startup_cr3));
  __asm__ volatile("mov %%cr4, %0" : "=r"(startup_cr4));
  __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0xc0000080));
  startup_efer = low & ~0x400u; // LMA comes by itself
  startup_stacks = stacks;
  startup_stackBytes = stackBytes;
  startup_entry = entry;
  return (usize)startup_code;
}`;

const MOVE_TO_STACK = `static __attribute__((noinline, noreturn, target("general-regs-only"))) void cpu_moveToStack(usize end, void (*entry)(usize), usize argument) {
  __asm__ volatile("mov %0, %%rsp\\n\\t"
                   "xor %%ebp, %%ebp\\n\\t"
                   "call *%1\\n\\t"
                   "ud2"
                   :: "a"(end), "d"(entry), "D"(argument) : "memory");
  __builtin_unreachable();
}`;

export const startup: Intrinsic[] = [
  {
    name: 'cpu.moveToStack',
    parameters: ['usize', '(usize) => void', 'usize'],
    result: 'never',
    effect: 'writes',
    targets: ['x86_64'],
    c: (use) => `${use.helper('cpu_moveToStack', MOVE_TO_STACK)}(${use.args.join(', ')})`,
  },
  {
    name: 'cpu.startupCode',
    parameters: ['(usize) => void', 'usize', 'usize'],
    result: 'usize',
    effect: 'writes',
    targets: ['x86_64'],
    c: (use) => `${use.helper('cpu_startupCode', CODE)}(${use.args.join(', ')})`,
  },
];
