/** Entry points: what runs before the first line of TypeScript. File-level assembly, since no C function can be entered this way. */

import { diagnostic } from '../diagnostics.ts';
import { HIGHER_HALF } from '../intrinsics/startup.ts';
import type { EntryStub } from '../tree.ts';
import { type Emitter, useFunction } from './emitter.ts';

export function entryStub(e: Emitter, stub: EntryStub): string {
  const start = useFunction(e, stub.start);
  const targets = stub.intrinsic === 'entry.pvh' ? ['x86_64'] : ['x86_64', 'aarch64', 'riscv64'];
  if (!targets.includes(e.target.arch)) {
    const values = { name: stub.intrinsic, target: e.target.arch, targets: targets.join(', ') };
    e.diagnostics.push(diagnostic('MU601', stub.place, values));
    return '';
  }
  switch (stub.intrinsic) {
    case 'entry.pvh':
      return pvh(start, stub.stackBytes);
    case 'entry.efi':
      return efi(e, start);
    default:
      return linuxProcess(e, start);
  }
}

/** System V ABI, process initialization: the stack pointer points to argc; it must be aligned before the first call. */
function linuxProcess(e: Emitter, start: string): string {
  const code = {
    x86_64: ['xor %ebp, %ebp', 'mov %rsp, %rdi', 'and $-64, %rsp', `call ${start}`, 'ud2'],
    aarch64: ['mov x29, xzr', 'mov x0, sp', 'and sp, x0, #-64', `bl ${start}`, 'brk #1'],
    riscv64: ['mv s0, zero', 'mv a0, sp', 'andi sp, sp, -64', `call ${start}`, 'unimp'],
    wasm32: [],
  }[e.target.arch];
  return assembly(['.section .text._start, "ax"', '.globl _start', '_start:', ...code, '.text']);
}

/**
 * UEFI 2.10, 4.1: the image's handle and the system table as the first two arguments, by the firmware's calling convention (2.3): on
 * x86-64 Microsoft's, elsewhere C's own. Whoever starts may not come back, so what it must keep for firmware is not kept.
 */
function efi(e: Emitter, start: string): string {
  const code = {
    x86_64: [
      ...['mov %rcx, %rdi', 'mov %rdx, %rsi', 'and $-64, %rsp', 'xor %ebp, %ebp'],
      ...[`call ${start}`, 'ud2'],
    ],
    aarch64: [`bl ${start}`, 'brk #1'],
    riscv64: [`call ${start}`, 'unimp'],
    wasm32: [],
  }[e.target.arch];
  return assembly(['.section .text._start, "ax"', '.globl _start', '_start:', ...code, '.text']);
}

/**
 * PVH (xen/include/public/arch-x86/hvm/start_info.h): the loader jumps here in 32-bit protected mode, paging off, flat
 * segments, ebx = physical address of hvm_start_info. On to long mode: page tables that map the first 4 GiB one to one in
 * 2 MiB pages (built by the assembler), and their first half once more where the program is linked, PAE, EFER.LME, paging, then
 * a far jump into a 64-bit code segment. Until then symbols are HIGHER_HALF above where their bytes are.
 */
function pvh(start: string, stackBytes: bigint): string {
  const physical = (symbol: string) => `${symbol} - ${HIGHER_HALF}`;
  const directory = (n: number) => `.quad ${physical('pvh_directories')} + ${n} * 4096 + 3`;
  return assembly([
    // ELF note, name "Xen", type 18 XEN_ELFNOTE_PHYS32_ENTRY
    '.section .note.Xen, "a", @note',
    '.balign 4',
    '.long 4, 8, 18',
    '.asciz "Xen"',
    `.quad ${physical('_start')}`,
    '.section .text._start, "ax"',
    '.code32',
    '.globl _start',
    '_start:',
    'cli',
    'cld',
    `mov $${physical('pvh_stack_end')}, %esp`,
    `mov $${physical('pvh_level4')}, %eax`,
    'mov %eax, %cr3',
    'mov %cr4, %eax',
    'or $0x20, %eax', // CR4.PAE
    'mov %eax, %cr4',
    'mov $0xc0000080, %ecx', // EFER
    'rdmsr',
    'or $0x100, %eax', // EFER.LME
    'wrmsr',
    'mov %cr0, %eax',
    'or $0x80000001, %eax', // CR0.PG, CR0.PE
    'mov %eax, %cr0',
    `lgdt ${physical('pvh_gdt_pointer')}`,
    `ljmp $0x08, $${physical('pvh_long')}`,
    '.code64',
    'pvh_long:',
    'mov $0x10, %eax',
    'mov %eax, %ds',
    'mov %eax, %es',
    'mov %eax, %ss',
    'xor %eax, %eax',
    'mov %eax, %fs',
    'mov %eax, %gs',
    'mov %ebx, %edi', // zero-extends
    'mov $pvh_stack_end, %rsp',
    'xor %ebp, %ebp',
    `mov $${start}, %rax`,
    'call *%rax',
    'pvh_stop:',
    'cli',
    'hlt',
    'jmp pvh_stop',
    '.section .data.pvh, "aw"',
    '.balign 4096',
    'pvh_level4:',
    `.quad ${physical('pvh_level3')} + 3`, // present, writable
    '.fill 510, 8, 0',
    `.quad ${physical('pvh_level3')} + 3`, // both ends of the address space
    'pvh_level3:',
    ...[0, 1, 2, 3].map(directory),
    '.fill 506, 8, 0',
    ...[0, 1].map(directory), // the top 2 GiB
    'pvh_directories:',
    '.set pvh_page, 0',
    '.rept 2048',
    '.quad pvh_page + 0x83', // present, writable, 2 MiB
    '.set pvh_page, pvh_page + 0x200000',
    '.endr',
    '.balign 16',
    'pvh_gdt:',
    '.quad 0',
    '.quad 0x00af9b000000ffff', // 08: 64-bit code
    '.quad 0x00cf93000000ffff', // 10: data
    'pvh_gdt_pointer:',
    '.word 23',
    `.quad ${physical('pvh_gdt')}`,
    '.section .bss.pvh_stack, "aw", @nobits',
    '.balign 64',
    `.skip ${(stackBytes + 63n) & ~63n}`,
    'pvh_stack_end:',
    '.text',
  ]);
}

function assembly(lines: string[]): string {
  const text = lines.map((line) => `    "${line.replaceAll('"', '\\"')}\\n"`);
  return `__asm__(\n${text.join('\n')});`;
}
