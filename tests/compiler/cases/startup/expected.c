__asm__(
    ".section .rodata.startup, \"a\"\n"
    ".balign 16\n"
    "startup_gdt:\n"
    ".quad 0\n"
    ".quad 0x00af9b000000ffff\n" // 08: 64-bit code
    ".quad 0x00cf93000000ffff\n" // 10: data
    ".quad 0x00cf9b000000ffff\n" // 18: 32-bit code
    "startup_code:\n"
    ".code16\n"
    "cli\n"
    "cld\n"
    "mov %cs, %ax\n"
    "mov %ax, %ds\n"
    "lgdtl startup_gdt_pointer - startup_code\n"
    "mov %cr0, %eax\n"
    "or $1, %al\n" // CR0.PE
    "mov %eax, %cr0\n"
    "ljmpl $0x18, $startup_protected - 0xffffffff80000000\n"
    "startup_gdt_pointer:\n"
    ".word 31\n"
    ".long startup_gdt - 0xffffffff80000000\n"
    ".skip 64 - (. - startup_code)\n"
    ".section .text.startup, \"ax\"\n"
    ".code32\n"
    "startup_protected:\n"
    "mov $0x10, %eax\n"
    "mov %eax, %ds\n"
    "mov %eax, %es\n"
    "mov %eax, %ss\n"
    "mov startup_cr4 - 0xffffffff80000000, %eax\n"
    "mov %eax, %cr4\n"
    "mov startup_cr3 - 0xffffffff80000000, %eax\n"
    "mov %eax, %cr3\n"
    "mov $0xc0000080, %ecx\n" // EFER
    "mov startup_efer - 0xffffffff80000000, %eax\n"
    "xor %edx, %edx\n"
    "wrmsr\n"
    "mov startup_cr0 - 0xffffffff80000000, %eax\n"
    "mov %eax, %cr0\n"
    "ljmp $0x08, $startup_long - 0xffffffff80000000\n"
    ".code64\n"
    "startup_long:\n"
    "mov $startup_high, %rax\n"
    "jmp *%rax\n"
    "startup_high:\n"
    "xor %eax, %eax\n"
    "mov %eax, %fs\n"
    "mov %eax, %gs\n"
    "mov $1, %edi\n"
    "lock xadd %rdi, startup_number\n"
    "lea 1(%rdi), %rsp\n"
    "imul startup_stackBytes, %rsp\n"
    "add startup_stacks, %rsp\n"
    "xor %ebp, %ebp\n"
    "call *startup_entry\n"
    "startup_stop:\n"
    "cli\n"
    "hlt\n"
    "jmp startup_stop\n"
    ".text\n");
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
}

static const usize PAGE = 32768;
static const usize STACK_BYTES = 16384;
__attribute__((target("general-regs-only"))) static void enter(usize);
void place(void);
static u8 stacks[32768] __attribute__((aligned(16)));
static u32 arrived = 0;

#line 8 "tests/compiler/cases/startup/input.ts"
static void enter(usize number) {
  __atomic_fetch_add((u32 *)&arrived, (u32)number + 1, __ATOMIC_SEQ_CST);
}

void place(void) {
  usize code = cpu_startupCode(enter, (usize)&stacks[0], STACK_BYTES);
  __builtin_memmove((void *)PAGE, (void *)code, 64);
}
