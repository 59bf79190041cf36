/**
 * Checked builds name file and line of what went wrong; release builds keep only the traps that
 * every build has.
 */

import { describe, expect, test } from 'vitest';
import { LINUX, toC, withNative } from './build.ts';

/**
 * Each statement goes wrong where n is its number; the last column is what a release build does.
 */
const FAULTS: [name: string, statement: string, message: string, release: 'trap' | 'runs'][] = [
  ['index', 'box.bytes[n + 100] = 1;', 'index out of range', 'runs'],
  ['negative index', 'box.bytes[-n] = 1;', 'index out of range', 'runs'],
  ['null field', 'nothing.next = nothing;', 'null pointer', 'trap'],
  ['null element', 'words[0] = 1;', 'null pointer', 'trap'],
  ['null load', 'sink = load<i32>(changetype<usize>(words));', 'null pointer', 'trap'],
  ['null vector', 'i32x4.store(words, 0, i32x4.splat(n));', 'null pointer', 'trap'],
  ['null function', 'sink = callback(n);', 'null pointer', 'trap'],
  ['narrowing', 'sink = i32(u8(n + 1000));', 'value does not fit u8', 'runs'],
  ['negative narrowing', 'sink = i32(i8(-n - 1000));', 'value does not fit i8', 'runs'],
  ['float', 'sink = i32(f32(n) * 1e10);', 'value does not fit i32', 'runs'],
  ['NaN', 'sink = i32(sqrt<f64>(f64(-n)));', 'value does not fit i32', 'runs'],
  ['division', 'sink = 5 / (n - n);', 'division by zero', 'trap'],
  ['remainder', 'sink = 5 % (n - n);', 'division by zero', 'trap'],
  ['overflow', 'sink = (i32.MIN_VALUE + n - n) / (n - n - 1);', 'division overflows', 'trap'],
  ['assert', "assert(n < 0, 'n is negative');", 'n is negative', 'runs'],
  ['unreachable', 'unreachable();', 'unreachable', 'trap'],
];

const source = `${LINUX}
class Box {
  next!: Ptr<Box>;
  bytes!: FixedArray<u8, 4>;
  room!: FixedArray<u8, 300>;
}

const box = zeroed<Box>();
let nothing: Ptr<Box> = null;
let words: Ptr<i32> = null;
let callback: (x: i32) => i32 = null;
let sink: i32 = 0;

function say(text: string): void {
  call(1, 1, changetype<usize>(utf8(text)), text.length);
}

/** @panic */
function panic(message: string, file: string, line: i32): void {
  say(message);
  say(' at ');
  say(file);
  const digits = zeroed<FixedArray<u8, 2>>();
  digits[0] = 0x30 + u8(line / 10);
  digits[1] = 0x30 + u8(line % 10);
  call(1, 1, changetype<usize>(ref(digits[0])), 2);
  call(60, 3, 0, 0);
}

/** @symbol start */
function start(stack: Ptr<usize>): void {
  const n = i32(load<u8>(stack[1]));
  const which = zeroed<FixedArray<u8, 1>>();
  call(0, 0, changetype<usize>(ref(which[0])), 1);
  switch (which[0]) {
    case 255:
      break;
    // one fault per line
${FAULTS.map(([, statement], i) => `    case ${i}: if (n > 0) { ${statement} } break;`).join('\n')}
  }
  call(60, sink == 12345 ? 1 : 0, 0, 0);
}
`;

describe('checked builds', () => {
  const target = { arch: 'x86_64' } as const;
  const line = source.split('\n').findIndex((text) => text.includes('case 0:')) + 1;

  test('each fault names what, file and line', () => {
    const c = toC(source, { target, checked: true });
    withNative(c, ['-march=x86-64-v3'], (run) => {
      const got = FAULTS.map(([name], i) => [name, run(Uint8Array.of(i)).stdout.toString()]);
      const wanted = FAULTS.map(([name, , message], i) => [
        name,
        `${message} at /test/input.ts${line + i}`,
      ]);
      expect(got).toEqual(wanted);
    });
  });

  test('a release build traps or goes on', () => {
    const c = toC(source, { target });
    withNative(c, ['-march=x86-64-v3'], (run) => {
      const got = FAULTS.map(([name], i) => {
        const { status, signal } = run(Uint8Array.of(i));
        return [name, signal === null && status === 0 ? 'runs' : 'trap'];
      });
      expect(got).toEqual(FAULTS.map(([name, , , release]) => [name, release]));
    });
  });

  test('without a @panic function a fault traps', () => {
    const c = toC(source.replace('/** @panic */', ''), { target, checked: true });
    withNative(c, ['-march=x86-64-v3'], (run) => {
      expect(run(Uint8Array.of(0)).signal).toBe('SIGILL');
    });
  });
});

describe('machine', () => {
  test('threads share memory; atomics count', () => {
    const threads = `${LINUX}
import { pause } from 'arch/cpu';
import { startThread } from 'arch/linux';
/** @align 64 */
const stacks = zeroed<FixedArray<u8, 65536>>();
let counter: u32 = 0;
let finished: u32 = 0;

function work(argument: usize): void {
  for (let i: i32 = 0; i < 10000; i++) atomic.add<u32>(ref(counter), u32(argument));
  atomic.add<u32>(ref(finished), 1);
}

/** @symbol start */
function start(stack: Ptr<usize>): void {
  const flags: usize = 0x50f00; // CLONE_VM FS FILES SIGHAND THREAD SYSVSEM
  for (let i: usize = 1; i <= 4; i++) {
    const top = changetype<usize>(ref(stacks[0])) + i * 16384;
    if (startThread(top, flags, work, i) < 0) call(231, 1, 0, 0);
  }
  while (atomic.load<u32>(ref(finished)) < 4) pause();
  call(231, atomic.load<u32>(ref(counter)) == 100000 ? 42 : 2, 0, 0);
}
`;
    withNative(toC(threads, { target: { arch: 'x86_64' } }), ['-march=x86-64-v3'], (run) => {
      expect(run().status).toBe(42);
    });
  });
});
