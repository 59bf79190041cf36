typedef struct TextOutput TextOutput;
typedef struct Services Services;
struct TextOutput {
  usize (__attribute__((ms_abi)) *reset)(TextOutput *, bool);
  usize (__attribute__((ms_abi)) *outputString)(TextOutput *, u16 *);
};
_Static_assert(sizeof(TextOutput) == 16, "layout of TextOutput");
struct Services {
  void (__attribute__((ms_abi)) *onEvent)(usize);
};
_Static_assert(sizeof(Services) == 8, "layout of Services");

HELPER TextOutput * load_Ptr_TextOutput1(const void *p) { TextOutput * r; __builtin_memcpy(&r, p, sizeof r); return r; }
HELPER Services * load_Ptr_Services2(const void *p) { Services * r; __builtin_memcpy(&r, p, sizeof r); return r; }
HELPER void cpu_sgdt(void * a) { __asm__ volatile("sgdt (%0)" :: "r"(a) : "memory"); }
static __attribute__((noinline, noreturn, target("general-regs-only"))) void cpu_moveToStack(usize end, void (*entry)(usize), usize argument) {
  __asm__ volatile("mov %0, %%rsp\n\t"
                   "xor %%ebp, %%ebp\n\t"
                   "call *%1\n\t"
                   "ud2"
                   :: "a"(end), "d"(entry), "D"(argument) : "memory");
  __builtin_unreachable();
}

__attribute__((target("general-regs-only"), ms_abi)) static void onEvent(usize);
__attribute__((target("general-regs-only"), used)) static void start(usize, usize);
static void run(usize);
static usize events = 0;
static u8 stack[4096] __attribute__((aligned(64)));

#line 17 "tests/compiler/cases/efi/input.ts"
static void onEvent(usize context) {
  events += context;
}

static void start(usize image, usize table) {
  TextOutput *out = load_Ptr_TextOutput1((u8 *)(void *)table + 64);
  Services *services = load_Ptr_Services2((u8 *)(void *)table + 96);
  services->onEvent = onEvent;
  if (out->outputString(out, null) != 0) { cpu_sgdt((void *)table); }
  cpu_moveToStack(((usize)&stack[0]) + 4096, run, image);
}

static void run(usize image) {
  events = image;
}

__asm__(
    ".section .text._start, \"ax\"\n"
    ".globl _start\n"
    "_start:\n"
    "mov %rcx, %rdi\n"
    "mov %rdx, %rsi\n"
    "and $-64, %rsp\n"
    "xor %ebp, %ebp\n"
    "call start\n"
    "ud2\n"
    ".text\n");
