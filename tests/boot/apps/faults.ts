import {
  hlt,
  int3,
  ltr,
  readCr0,
  readCr4,
  sidt,
  type TableRegister,
  writeCr0,
  writeCr4,
  xgetbv,
} from 'arch/instructions';
import { packStart, parallel, read, write } from 'machine';
import { addByte, type Line } from '../../../guest/machine/line.ts';
import { stopWith } from '../../../guest/machine/panic.ts';

/** Fails as one letter from the console says: tests/boot/faults.test.ts. */
export function main(): void {
  say('ready\n');
  const letter = read();
  fail(letter);
  failSpecially(letter);
  say('survived\n');
}

class Pair {
  first!: u32;
  second!: u32;
}

const nothing = zeroed<FixedArray<i32, 1>>();
const few = zeroed<FixedArray<i32, 4>>();
/** Instructions: ret. */
const code = zeroed<FixedArray<u8, 16>>();

/** A zero that no compiler sees through. */
function zero(): i32 {
  return volatile.load<i32>(ref(nothing[0]));
}

/** What any program can do wrong. */
function fail(letter: i32): void {
  switch (letter) {
    case 0x30: // 0
      use(u64(load<u8>(usize(zero()))));
      break;
    case 0x31: // 1
      use(u64(1000 / zero()));
      break;
    case 0x32: // 2
      unreachable();
      break;
    case 0x33: // 3
      volatile.store<u8>(utf8('constant'), 1);
      break;
    case 0x34: // 4
      startDescent();
      break;
    case 0x35: // 5
      use(u64(few[9 + zero()]));
      break;
    case 0x36: // 6
      volatile.store<u8>(packStart(), 1);
      break;
    case 0x37: // 7
      parallel(failOnLast);
      break;
    case 0x38: // 8
      parallel(descendOnLast);
      break;
    case 0x39: // 9
      parallel(failOnAll);
      break;
    case 0x61: // a
      assert(zero() == 1, 'zero is one');
      break;
    case 0x63: // c
      use(u64(u8(300 + zero())));
      break;
    case 0x66: // f
      use(u64(u32(0 / f32(zero()))));
      break;
    case 0x6e: // n
      use(u64(changetype<Ptr<Pair>>(usize(zero())).second));
      break;
  }
}

/** What only broken programs and broken machines do. */
function failSpecially(letter: i32): void {
  switch (letter) {
    case 0x62: // b
      int3();
      break;
    case 0x64: // d
      code[0] = 0xc3;
      changetype<() => void>(changetype<usize>(ref(code[0])))();
      break;
    case 0x67: // g
      use(load<u64>(usize(0x8000000000000000) + usize(zero())));
      break;
    case 0x68: // h
      hlt();
      break;
    case 0x69: // i: as if no vector unit were there
      writeCr0(readCr0() | 8);
      use(u64(f32x16.sum(f32x16.splat(f32(zero())))));
      break;
    case 0x6b: // k
      volatile.store<u8>(changetype<usize>(startDescent), 0xc3);
      break;
    case 0x6d: // m
      stopWith(changetype<Ptr<Line>>(usize(zero())));
      break;
    case 0x6f: // o: OSXSAVE off
      writeCr4(readCr4() & ~u64(0x40000));
      use(xgetbv(0));
      break;
    case 0x73: // s
      ltr(0xfff8);
      break;
    case 0x74: // t: a page fault that finds its gate closed
      closeGate(14);
      use(u64(load<u8>(usize(zero()))));
      break;
    case 0x77: // w
      read();
      break;
  }
}

/** An exception's gate has 16 bytes; byte 5 says that it is there. */
function closeGate(vector: usize): void {
  const gates = zeroed<TableRegister>();
  sidt(ref(gates));
  volatile.store<u8>(gates.base + vector * 16 + 5, 0);
}

function use(value: u64): void {
  volatile.store<u64>(ref(used[0]), value);
}
const used = zeroed<FixedArray<u64, 1>>();

function say(text: string): void {
  write(utf8(text), text.length);
}

function failOnLast(index: i32, total: i32): void {
  if (index == total - 1) volatile.store<u8>(usize(zero()), 1);
}

function failOnAll(_index: i32, _total: i32): void {
  volatile.store<u8>(usize(zero()), 1);
}

function descendOnLast(index: i32, total: i32): void {
  if (index == total - 1) startDescent();
}

/** Deeper than any stack: each call keeps a Line of its own, and hands it on. */
function descend(above: Ptr<Line>): u64 {
  const line = zeroed<Line>();
  addByte(ref(line), above.bytes[0]);
  return descend(ref(line)) + u64(line.bytes[0]);
}

function startDescent(): void {
  const line = zeroed<Line>();
  use(descend(ref(line)));
}
