typedef struct Frame Frame;
struct Frame {
  u64 address;
  u64 codeSegment;
  u64 flags;
};
_Static_assert(sizeof(Frame) == 24, "layout of Frame");

HELPER u64 cpu_readCr4(void) { u64 x; __asm__ volatile("mov %%cr4, %0" : "=r"(x)); return x; }
HELPER void cpu_writeCr4(u64 a) { __asm__ volatile("mov %0, %%cr4" :: "r"(a) : "memory"); }
HELPER void store_usize(void *p, usize value) { __builtin_memcpy(p, &value, sizeof value); }
HELPER u32 u32_cmpxchg(u32 *p, u32 expected, u32 replacement) {
  __atomic_compare_exchange_n(p, &expected, replacement, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return expected;
}
HELPER void cpu_halt(void) { __asm__ volatile("hlt" ::: "memory"); }
HELPER u8 port_in8(u16 a) { u8 x; __asm__ volatile("inb %1, %0" : "=a"(x) : "Nd"(a)); return x; }
#if defined(__x86_64__)
HELPER void cpu_pause(void) { __builtin_ia32_pause(); }
#elif defined(__aarch64__)
HELPER void cpu_pause(void) { __asm__ volatile("yield"); }
#elif defined(__riscv)
HELPER void cpu_pause(void) { __asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010"); }
#else
HELPER void cpu_pause(void) {}
#endif
HELPER void port_out8(u16 a, u8 b) { __asm__ volatile("outb %1, %0" :: "Nd"(a), "a"(b)); }

__attribute__((interrupt, target("general-regs-only"))) static void onFault(Frame *, usize);
__attribute__((target("general-regs-only"))) static void say(u8);
__attribute__((noinline, target("general-regs-only"), used)) static void start(usize);
static u64 ticks = 0;

#line 11 "tests/compiler/cases/machine/input.ts"
static void onFault(Frame *frame, usize code) {
  say((u8)code);
  ticks += frame->flags;
}

static void say(u8 byte) {
  while ((port_in8(0x3fd) & 0x20) == 0) { cpu_pause(); }
  port_out8(0x3f8, byte);
}

static void start(usize info) {
  cpu_writeCr4(cpu_readCr4() | 0x600);
  store_usize((void *)4096, (usize)onFault);
  *(volatile u32 *)(void *)0xfee000b0ull = 0;
  if (u32_cmpxchg((u32 *)(void *)8192, 0, 1) == 0) { __atomic_fetch_add((u32 *)(void *)8196, 1, __ATOMIC_SEQ_CST); }
  cpu_halt();
}

__asm__(
    ".section .note.Xen, \"a\", @note\n"
    ".balign 4\n"
    ".long 4, 8, 18\n"
    ".asciz \"Xen\"\n"
    ".quad _start - 0xffffffff80000000\n"
    ".section .text._start, \"ax\"\n"
    ".code32\n"
    ".globl _start\n"
    "_start:\n"
    "cli\n"
    "cld\n"
    "mov $pvh_stack_end - 0xffffffff80000000, %esp\n"
    "mov $pvh_level4 - 0xffffffff80000000, %eax\n"
    "mov %eax, %cr3\n"
    "mov %cr4, %eax\n"
    "or $0x20, %eax\n"
    "mov %eax, %cr4\n"
    "mov $0xc0000080, %ecx\n"
    "rdmsr\n"
    "or $0x100, %eax\n"
    "wrmsr\n"
    "mov %cr0, %eax\n"
    "or $0x80000001, %eax\n"
    "mov %eax, %cr0\n"
    "lgdt pvh_gdt_pointer - 0xffffffff80000000\n"
    "ljmp $0x08, $pvh_long - 0xffffffff80000000\n"
    ".code64\n"
    "pvh_long:\n"
    "mov $0x10, %eax\n"
    "mov %eax, %ds\n"
    "mov %eax, %es\n"
    "mov %eax, %ss\n"
    "xor %eax, %eax\n"
    "mov %eax, %fs\n"
    "mov %eax, %gs\n"
    "mov %ebx, %edi\n"
    "mov $pvh_stack_end, %rsp\n"
    "xor %ebp, %ebp\n"
    "mov $start, %rax\n"
    "call *%rax\n"
    "pvh_stop:\n"
    "cli\n"
    "hlt\n"
    "jmp pvh_stop\n"
    ".section .data.pvh, \"aw\"\n"
    ".balign 4096\n"
    "pvh_level4:\n"
    ".quad pvh_level3 - 0xffffffff80000000 + 3\n"
    ".fill 510, 8, 0\n"
    ".quad pvh_level3 - 0xffffffff80000000 + 3\n"
    "pvh_level3:\n"
    ".quad pvh_directories - 0xffffffff80000000 + 0 * 4096 + 3\n"
    ".quad pvh_directories - 0xffffffff80000000 + 1 * 4096 + 3\n"
    ".quad pvh_directories - 0xffffffff80000000 + 2 * 4096 + 3\n"
    ".quad pvh_directories - 0xffffffff80000000 + 3 * 4096 + 3\n"
    ".fill 506, 8, 0\n"
    ".quad pvh_directories - 0xffffffff80000000 + 0 * 4096 + 3\n"
    ".quad pvh_directories - 0xffffffff80000000 + 1 * 4096 + 3\n"
    "pvh_directories:\n"
    ".set pvh_page, 0\n"
    ".rept 2048\n"
    ".quad pvh_page + 0x83\n"
    ".set pvh_page, pvh_page + 0x200000\n"
    ".endr\n"
    ".balign 16\n"
    "pvh_gdt:\n"
    ".quad 0\n"
    ".quad 0x00af9b000000ffff\n"
    ".quad 0x00cf93000000ffff\n"
    "pvh_gdt_pointer:\n"
    ".word 23\n"
    ".quad pvh_gdt - 0xffffffff80000000\n"
    ".section .bss.pvh_stack, \"aw\", @nobits\n"
    ".balign 64\n"
    ".skip 16384\n"
    "pvh_stack_end:\n"
    ".text\n");
