__attribute__((used)) static void start(usize *);
isize call(usize, usize, usize);
u64 ticks(void);
u32 reversed(u32);

#line 11 "tests/compiler/cases/assembly-aarch64/input.ts"
static void start(usize *stack) {
  call(93, 3, 0);
}

isize call(usize number, usize a, usize b) {
  isize result = 0;
  { register usize _t1 __asm__("x8") = number; register usize _t2 __asm__("x0") = a; register usize _t3 __asm__("x1") = b; register isize _t4 __asm__("x0"); __asm__ volatile("svc #0" : "=r"(_t4) : "r"(_t1), "r"(_t2), "r"(_t3) : "memory", "cc"); result = _t4; }
  return result;
}

u64 ticks(void) {
  u64 value = 0;
  __asm__ volatile("isb; mrs %[value], cntvct_el0" : [value] "=&r"(value) :  : "cc");
  return value;
}

u32 reversed(u32 x) {
  u32 y = 0;
  __asm__ volatile("rev %w[y], %w[x]" : [y] "=&r"(y) : [x] "r"(x) : "v3", "cc");
  return y;
}

__asm__(
    "  .section .text._start, \"ax\"\n"
    "  .globl _start\n"
    "_start:\n"
    "  mov x0, sp\n"
    "  bl start\n"
    "  brk #1\n"
    ".text\n");
