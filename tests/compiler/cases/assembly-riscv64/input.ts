// target riscv64
asm(`
  .section .text._start, "ax"
  .globl _start
_start:
  mv a0, sp
  call {start}
  unimp
`, { use: { start } });

function start(stack: Ptr<usize>): void {
  call(93, 3, 0);
}

export function call(number: usize, a: usize, b: usize): isize {
  let result: isize = 0;
  asm('ecall', { in: { a7: number, a0: a, a1: b }, out: { a0: result } });
  return result;
}

export function ticks(): u64 {
  let value: u64 = 0;
  asm('rdtime {value}', { out: { value }, memory: false });
  return value;
}
