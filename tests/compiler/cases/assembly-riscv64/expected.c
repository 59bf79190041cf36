__attribute__((used)) static void start(usize *);
isize call(usize, usize, usize);
u64 ticks(void);

#line 11 "tests/compiler/cases/assembly-riscv64/input.ts"
static void start(usize *stack) {
  call(93, 3, 0);
}

isize call(usize number, usize a, usize b) {
  isize result = 0;
  { register usize _t1 __asm__("a7") = number; register usize _t2 __asm__("a0") = a; register usize _t3 __asm__("a1") = b; register isize _t4 __asm__("a0"); __asm__ volatile("ecall" : "=r"(_t4) : "r"(_t1), "r"(_t2), "r"(_t3) : "memory", "cc"); result = _t4; }
  return result;
}

u64 ticks(void) {
  u64 value = 0;
  __asm__ volatile("rdtime %[value]" : [value] "=&r"(value) :  : "cc");
  return value;
}

__asm__(
    "  .section .text._start, \"ax\"\n"
    "  .globl _start\n"
    "_start:\n"
    "  mv a0, sp\n"
    "  call start\n"
    "  unimp\n"
    ".text\n");
