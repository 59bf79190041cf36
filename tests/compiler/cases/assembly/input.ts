const EFER: u32 = 0xc0000080;
const STACK_BYTES: usize = 4096;

/** @align 16 */
const stack = zeroed<FixedArray<u8, typeof STACK_BYTES>>();
let starts: u64 = 0;

asm(`
  .section .text._start, "ax"
  .globl _start
_start:
  lea {stack} + {STACK_BYTES}(%rip), %rsp   # no braces: {{}}
  incq {starts}(%rip)
  call {start}
  ud2
`, { use: { stack, starts, start, STACK_BYTES } });

function start(): void {
  enable(EFER);
  halt();
}

/** edx:eax */
function readMsr(register: u32): u64 {
  let low: u32 = 0;
  let high: u32 = 0;
  asm('rdmsr', { in: { ecx: register }, out: { eax: low, edx: high } });
  return (u64(high) << 32) | u64(low);
}

function enable(register: u32): void {
  const value = readMsr(register) | 1;
  asm('wrmsr', { in: { ecx: register, eax: u32(value & 0xffffffff), edx: u32(value >> 32) } });
}

export function readCr3(): u64 {
  let value: u64 = 0;
  asm('mov %cr3, {value}', { out: { value } });
  return value;
}

export function swapped(x: u32): u32 {
  let y: u32 = 0;
  asm('bswap {y}', { in: { y: x * 2 }, out: { y }, memory: false });
  return y;
}

export function call(number: usize, a: Ptr<u8>, f: usize): isize {
  let result: isize = 0;
  asm('syscall', {
    in: { rax: number, rdi: a, r9: f + number, r10: 0 },
    out: { rax: result },
    clobbers: ['rcx', 'r11'],
  });
  return result;
}

export function goOn(end: usize, entry: (argument: usize) => void): void {
  asm(
    `
    mov {end}, %rsp
    xor %ebp, %ebp
    call *{entry}
    `,
    { in: { end, entry, rdi: 7 } },
  );
  unreachable();
}

function halt(): void {
  asm('cli');
  asm('1: hlt; jmp 1b', { memory: false, clobbers: ['xmm3'] });
}
