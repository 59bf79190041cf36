// target aarch64
asm(`
  .section .text._start, "ax"
  .globl _start
_start:
  mov x0, sp
  bl {start}
  brk #1
`, { use: { start } });

function start(stack: Ptr<usize>): void {
  call(93, 3, 0);
}

export function call(number: usize, a: usize, b: usize): isize {
  let result: isize = 0;
  asm('svc #0', { in: { x8: number, x0: a, x1: b }, out: { x0: result } });
  return result;
}

export function ticks(): u64 {
  let value: u64 = 0;
  asm('isb; mrs {value}, cntvct_el0', { out: { value }, memory: false });
  return value;
}

export function reversed(x: u32): u32 {
  let y: u32 = 0;
  asm('rev {y}, {x}', { in: { x }, out: { y }, memory: false, clobbers: ['v3'] });
  return y;
}
