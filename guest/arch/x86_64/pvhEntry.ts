import { HIGHER_HALF } from './layout.ts';

/**
 * The entry of a PC by PVH (xen/include/public/arch-x86/hvm/start_info.h): the loader jumps to what
 * the ELF's note names, in 32-bit protected mode, paging off, flat segments, ebx = physical address
 * of hvm_start_info. On to long mode: page tables that map the first 4 GiB one to one in 2 MiB
 * pages (built by the assembler), and their first half once more where the program is linked, PAE,
 * EFER.LME, paging, then a far jump into a 64-bit code segment. Until then symbols are HIGHER_HALF
 * above where their bytes are. The other cores go the same way from `pvh_go_long` on, in the same
 * state (startup.ts): esi = physical address of what comes then. Descriptors are marked as
 * accessed: nobody writes to the table.
 *
 * `start` is the machine's, by that @symbol: (info: usize) => void. info: the address of
 * hvm_start_info. It finds flat segments (code 08, data 10), interrupts off, and the stack that
 * ends at `stack_end` of the machine's link.ld.
 */

asm(
  `
  # ELF note, name "Xen", type 18 XEN_ELFNOTE_PHYS32_ENTRY
  .section .note.Xen, "a", @note
  .balign 4
  .long 4, 8, 18
  .asciz "Xen"
  .quad _start - {HIGHER_HALF}

  .section .text._start, "ax"
  .code32
  .globl _start
_start:
  cli
  cld
  mov $pvh_first - {HIGHER_HALF}, %esi
pvh_go_long:
  mov $pvh_level4 - {HIGHER_HALF}, %eax
  mov %eax, %cr3
  mov %cr4, %eax
  or $0x20, %eax              # CR4.PAE
  mov %eax, %cr4
  mov $0xc0000080, %ecx       # EFER
  rdmsr
  or $0x100, %eax             # EFER.LME
  wrmsr
  mov %cr0, %eax
  or $0x80000001, %eax        # CR0.PG, CR0.PE
  mov %eax, %cr0
  lgdt pvh_gdt_pointer - {HIGHER_HALF}
  ljmp $0x08, $pvh_long - {HIGHER_HALF}
  .code64
pvh_long:
  mov $0x10, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  xor %eax, %eax
  mov %eax, %fs
  mov %eax, %gs
  mov %esi, %esi              # zero-extends
  jmp *%rsi
pvh_first:
  mov %ebx, %edi
  mov $stack_end, %rsp
  xor %ebp, %ebp
  mov $start, %rax
  call *%rax
pvh_stop:
  cli
  hlt
  jmp pvh_stop

  .section .data.pvh, "aw"
  .balign 4096
pvh_level4:
  .quad pvh_level3 - {HIGHER_HALF} + 3  # present, writable
  .fill 510, 8, 0
  .quad pvh_level3 - {HIGHER_HALF} + 3  # both ends of the address space
pvh_level3:
  .set pvh_directory, pvh_directories - {HIGHER_HALF} + 3
  .quad pvh_directory, pvh_directory + 4096, pvh_directory + 8192, pvh_directory + 12288
  .fill 506, 8, 0
  .quad pvh_directory, pvh_directory + 4096  # the top 2 GiB
pvh_directories:
  .set pvh_page, 0
  .rept 2048
  .quad pvh_page + 0x83       # present, writable, 2 MiB
  .set pvh_page, pvh_page + 0x200000
  .endr
  .balign 16
pvh_gdt:
  .quad 0
  .quad 0x00af9b000000ffff    # 08: 64-bit code
  .quad 0x00cf93000000ffff    # 10: data
  .quad 0x00cf9b000000ffff    # 18: 32-bit code
pvh_gdt_pointer:
  .word 31
  .quad pvh_gdt - {HIGHER_HALF}
  `,
  { use: { HIGHER_HALF } },
);
