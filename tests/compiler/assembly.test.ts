/**
 * Assembly with operands: programs that run, and the cases of other targets through their
 * assemblers.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { GUEST_FLAGS, runTool } from '../../src/toolchain/clang.ts';
import { toC, withNative } from './build.ts';

/** Its entry, its output and its end are assembly; what it works out goes out as four words. */
const PROGRAM = `
  const WORDS: i32 = 4;
  const out = zeroed<FixedArray<u64, 4>>();
  const vendor = zeroed<FixedArray<u32, 4>>();
  let starts: u64 = 40;

  asm(\`
    .section .text._start, "ax"
    .globl _start
  _start:
    addq $2, {starts}(%rip)
    and $-64, %rsp
    call {start}
    ud2
  \`, { use: { starts, start } });

  function call(number: usize, a: usize, b: usize, c: usize): isize {
    let result: isize = 0;
    asm('syscall', {
      in: { rax: number, rdi: a, rsi: b, rdx: c },
      out: { rax: result },
      clobbers: ['rcx', 'r11'],
    });
    return result;
  }

  /** In and out are one register, of a value that is worked out by a call. */
  function swapped(x: u32): u32 {
    let y: u32 = 0;
    asm('bswap {y}', { in: { y: half(x) }, out: { y }, memory: false });
    return y;
  }

  /** @noinline */
  function half(x: u32): u32 {
    return x / 2;
  }

  /** Inlined twice: its label is a local one. The output is written before the input is read. */
  function bits(x: u64): u64 {
    let count: u64 = 0;
    let rest: u64 = 0;
    asm(\`
      xor {count}, {count}
      mov {x}, {rest}
    1:
      shr {rest}
      adc $0, {count}
      test {rest}, {rest}
      jnz 1b
    \`, { in: { x }, out: { count, rest } });
    return count;
  }

  /** @noinline */
  function start(): void {
    let a: u32 = 0;
    let b: u32 = 0;
    let c: u32 = 0;
    let d: u32 = 0;
    asm('cpuid', { in: { eax: 0, ecx: 0 }, out: { eax: a, ebx: b, ecx: c, edx: d } });
    vendor[0] = b;
    vendor[1] = d;
    vendor[2] = c;
    out[0] = starts;
    out[1] = u64(swapped(0x20406080));
    out[2] = bits(0xf0f0f0f0f0f0f0f1) * 100 + bits(out[0]);
    asm('movq {value}, 24({to})', { in: { value: starts + 1, to: ref(out[0]) } });
    call(1, 1, changetype<usize>(ref(out[0])), 32);
    call(1, 1, changetype<usize>(ref(vendor[0])), 12);
    call(231, 7, 0, 0);
  }
`;

test.each([['-O2'], ['-O0']])(
  'operands, symbols and constants in a program of its own, %s',
  (level) => {
    const c = toC(PROGRAM, { target: { arch: 'x86_64' } });
    withNative(c, [level, '-Werror'], (run) => {
      const { status, stdout } = run();
      expect(status).toBe(7);
      const words = [0, 1, 2, 3].map((i) => stdout.readBigUInt64LE(8 * i));
      // 0x20406080 / 2 is 0x10203040; 0xf0…f1 has 4 · 8 + 1 bits, 42 has three.
      expect(words).toEqual([42n, 0x40302010n, 3303n, 43n]);
      const vendor = /^vendor_id\s*: (\w+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1];
      expect(stdout.subarray(32).toString('latin1'), cpus()[0].model).toBe(vendor);
    });
  },
);

test.each(['aarch64', 'riscv64'] as const)(
  'clang and the assembler take the case of %s',
  (arch) => {
    const work = mkdtempSync(join(tmpdir(), 'mu-test-'));
    try {
      const input = join(import.meta.dirname, 'cases', `assembly-${arch}`, 'input.ts');
      const source = join(work, 'test.c');
      writeFileSync(source, toC(readFileSync(input, 'utf8'), { target: { arch } }));
      const march = arch === 'riscv64' ? ['-march=rv64gc', '-mabi=lp64d'] : [];
      const target = `--target=${arch}-linux-gnu`;
      runTool('clang', [
        target,
        ...GUEST_FLAGS,
        ...march,
        '-Werror',
        '-c',
        source,
        '-o',
        source + '.o',
      ]);
    } finally {
      rmSync(work, { recursive: true });
    }
  },
);
