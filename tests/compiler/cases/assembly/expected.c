static const u32 EFER = 0xc0000080u;
__attribute__((used)) static void start(void);
static u64 readMsr(u32);
static void enable(u32);
u64 readCr3(void);
u32 swapped(u32);
isize call(usize, u8 *, usize);
void goOn(usize, void (*)(usize));
static void halt(void);
static u8 stack[4096] __attribute__((used, aligned(16)));
static u64 starts __attribute__((used)) = 0;

#line 18 "tests/compiler/cases/assembly/input.ts"
static void start(void) {
  enable(EFER);
  halt();
}

static u64 readMsr(u32 register_) {
  u32 low = 0;
  u32 high = 0;
  { register u32 _t1 __asm__("ecx") = register_; register u32 _t2 __asm__("eax"); register u32 _t3 __asm__("edx"); __asm__ volatile("rdmsr" : "=r"(_t2), "=r"(_t3) : "r"(_t1) : "memory", "cc"); low = _t2; high = _t3; }
  return ((u64)high << 32) | (u64)low;
}

static void enable(u32 register_) {
  u64 value = readMsr(register_) | 1;
  { u32 _t1 = (u32)(value & 0xffffffffull); u32 _t2 = (u32)(value >> 32); register u32 _t3 __asm__("ecx") = register_; register u32 _t4 __asm__("eax") = _t1; register u32 _t5 __asm__("edx") = _t2; __asm__ volatile("wrmsr" :  : "r"(_t3), "r"(_t4), "r"(_t5) : "memory", "cc"); }
}

u64 readCr3(void) {
  u64 value = 0;
  __asm__ volatile("mov %%cr3, %[value]" : [value] "=&r"(value) :  : "memory", "cc");
  return value;
}

u32 swapped(u32 x) {
  u32 y = 0;
  { u32 _t1 = x * 2; __asm__ volatile("bswap %[y]" : [y] "=r"(y) : "[y]"(_t1) : "cc"); }
  return y;
}

isize call(usize number, u8 *a, usize f) {
  isize result = 0;
  { usize _t1 = f + number; register usize _t2 __asm__("rax") = number; register u8 *_t3 __asm__("rdi") = a; register usize _t4 __asm__("r9") = _t1; register u64 _t5 __asm__("r10") = 0; register isize _t6 __asm__("rax"); __asm__ volatile("syscall" : "=r"(_t6) : "r"(_t2), "r"(_t3), "r"(_t4), "r"(_t5) : "rcx", "r11", "memory", "cc"); result = _t6; }
#line 55 "tests/compiler/cases/assembly/input.ts"
  return result;
}

void goOn(usize end, void (*entry)(usize)) {
  { register u64 _t1 __asm__("rdi") = 7; __asm__ volatile("mov %[end], %%rsp\nxor %%ebp, %%ebp\ncall *%[entry]" :  : [end] "r"(end), [entry] "r"(entry), "r"(_t1) : "memory", "cc"); }
#line 67 "tests/compiler/cases/assembly/input.ts"
  __builtin_trap();
}

static void halt(void) {
  __asm__ volatile("cli" :  :  : "memory", "cc");
  __asm__ volatile("1: hlt; jmp 1b" :  :  : "xmm3", "cc");
}

__asm__(
    "  .section .text._start, \"ax\"\n"
    "  .globl _start\n"
    "_start:\n"
    "  lea stack + 4096(%rip), %rsp   # no braces: {}\n"
    "  incq starts(%rip)\n"
    "  call start\n"
    "  ud2\n"
    ".text\n");
