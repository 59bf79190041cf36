#if defined(__x86_64__)
HELPER isize linux_syscall(usize number, usize a, usize b, usize c, usize d, usize e, usize f) {
  register usize r10 __asm__("r10") = d;
  register usize r8 __asm__("r8") = e;
  register usize r9 __asm__("r9") = f;
  isize result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
HELPER isize linux_syscall(usize number, usize a, usize b, usize c, usize d, usize e, usize f) {
  register usize x8 __asm__("x8") = number;
  register usize x0 __asm__("x0") = a;
  register usize x1 __asm__("x1") = b;
  register usize x2 __asm__("x2") = c;
  register usize x3 __asm__("x3") = d;
  register usize x4 __asm__("x4") = e;
  register usize x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return (isize)x0;
}
#else
HELPER isize linux_syscall(usize number, usize a, usize b, usize c, usize d, usize e, usize f) {
  register usize a7 __asm__("a7") = number;
  register usize a0 __asm__("a0") = a;
  register usize a1 __asm__("a1") = b;
  register usize a2 __asm__("a2") = c;
  register usize a3 __asm__("a3") = d;
  register usize a4 __asm__("a4") = e;
  register usize a5 __asm__("a5") = f;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5) : "memory");
  return (isize)a0;
}
#endif
static __attribute__((noinline)) isize linux_startThread(usize stackTop, usize flags, void (*entry)(usize), usize argument) {
  usize *top = (usize *)((stackTop & ~(usize)15) - 16);
  top[0] = (usize)entry;
  top[1] = argument;
  register usize r10 __asm__("r10") = 0;
  register usize r8 __asm__("r8") = 0;
  isize result;
  __asm__ volatile("syscall\n\t"
                   "test %%rax, %%rax\n\t"
                   "jnz 1f\n\t"
                   "xor %%ebp, %%ebp\n\t"
                   "pop %%rax\n\t"
                   "pop %%rdi\n\t"
                   "call *%%rax\n\t"
                   "mov $60, %%eax\n\t"
                   "xor %%edi, %%edi\n\t"
                   "syscall\n\t"
                   "ud2\n"
                   "1:"
                   : "=a"(result)
                   : "a"(56), "D"(flags), "S"(top), "d"(0), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return result;
}

static void worker(usize);
__attribute__((used)) static void start(usize *);

#line 1 "tests/compiler/cases/linux/input.ts"
static void worker(usize index) {
  linux_syscall((usize)24, (usize)index, 0, 0, 0, 0, 0);
}

static void start(usize *stack) {
  string text = TEXT("hello\n");
  linux_syscall((usize)1, (usize)1, (usize)(text.data), (usize)text.length, 0, 0, 0);
  linux_startThread(stack[0], 0x50f00, worker, 1);
  linux_syscall((usize)231, (usize)0, 0, 0, 0, 0, 0);
}

__asm__(
    ".section .text._start, \"ax\"\n"
    ".globl _start\n"
    "_start:\n"
    "xor %ebp, %ebp\n"
    "mov %rsp, %rdi\n"
    "and $-64, %rsp\n"
    "call start\n"
    "ud2\n"
    ".text\n");
