import {
  barrier,
  bootNanos,
  coreCount,
  now,
  packLength,
  packStart,
  parallel,
  poll,
  powerOff,
  read,
  write,
} from 'machine';
import { addAddress, addNumber, addText, type Line } from '../../../guest/machine/line.ts';

/**
 * Exercises a machine: one letter from the console, one answer line. tests/boot/machine.test.ts
 * sends the letters.
 */
export function main(): void {
  say('ready\n');
  while (true) {
    switch (read()) {
      case -1:
      case 0x04: // EOT
        return;
      case 0x61: // a
        tellCores();
        break;
      case 0x62: // b
        tell('boot ', bootNanos());
        break;
      case 0x65: // e
        echoLine();
        break;
      case 0x68: // h
        hashLine();
        break;
      case 0x6c: // l
        writeLots();
        break;
      case 0x6e: // n
        tell('now ', now());
        break;
      case 0x6f: // o
        pollByte();
        break;
      case 0x70: // p
        tellPack();
        break;
      case 0x76: // v
        tell('sum ', u64(sumOfVector(3)));
        break;
      case 0x78: // x
        powerOff(7);
        break;
      case 0x30: // 0
        tell('null ', u64(load<u8>(usize(zero()))));
        break;
    }
  }
}

const nothing = zeroed<FixedArray<i32, 1>>();

/** A zero that no compiler sees through. */
function zero(): i32 {
  return volatile.load<i32>(ref(nothing[0]));
}

function say(text: string): void {
  write(utf8(text), text.length);
}

function tell(text: string, value: u64): void {
  const line = zeroed<Line>();
  addNumber(ref(line), text, value);
  addText(ref(line), '\n');
  write(ref(line.bytes[0]), line.length);
}

function echoLine(): void {
  const line = zeroed<Line>();
  while (true) {
    const byte = read();
    if (byte < 0 || byte == 0x0a) break;
    line.bytes[line.length] = u8(byte);
    line.length += 1;
  }
  addText(ref(line), '\n');
  write(ref(line.bytes[0]), line.length);
}

/** A line of any length: how long it was, and the FNV-1a of its bytes. */
function hashLine(): void {
  let length: u64 = 0;
  let hash: u32 = 0x811c9dc5;
  while (true) {
    const byte = read();
    if (byte < 0 || byte == 0x0a) break;
    hash = (hash ^ u32(byte)) * 0x01000193;
    length += 1;
  }
  tell('length ', length);
  tell('hash ', u64(hash));
}

/** 20,000 lines of nine bytes: more than any pipe or FIFO holds. */
function writeLots(): void {
  for (let i: u64 = 0; i < 20000; i++) tell('', 10000000 + i);
}

/** How often poll() said that there is nothing is of no interest, but that it did. */
function pollByte(): void {
  let misses: u64 = 0;
  let byte = poll();
  say('polling\n');
  while (byte < 0) {
    misses += 1;
    byte = poll();
  }
  tell(misses > 0 ? 'polled ' : 'at once ', u64(byte));
}

function tellPack(): void {
  const line = zeroed<Line>();
  addNumber(ref(line), 'pack ', packLength());
  addAddress(ref(line), ' bytes, first ', load<u64>(packStart()));
  addAddress(ref(line), ', last ', u64(packStart()[packLength() - 1]));
  addNumber(ref(line), ', misaligned ', changetype<usize>(packStart()) & 63);
  addText(ref(line), '\n');
  write(ref(line.bytes[0]), line.length);
}

/** Calls per index, over all rounds. */
const calls = zeroed<FixedArray<u32, 64>>();
const wrongCounts = zeroed<FixedArray<u32, 64>>();

/** After the barrier every core must have been called as often as this one. */
function count(index: i32, total: i32): void {
  const own = calls[index] + 1;
  volatile.store<u32>(ref(calls[index]), own);
  barrier(index);
  for (let i: i32 = 0; i < total; i++) {
    if (volatile.load<u32>(ref(calls[i])) != own) wrongCounts[index] += 1;
  }
  if (total != coreCount()) wrongCounts[index] += 1;
}

/** 2,000 jobs; every index must have seen each of them once. */
function tellCores(): void {
  const cores = coreCount();
  for (let i: i32 = 0; i < 64; i++) calls[i] = 0;
  for (let round: i32 = 0; round < 2000; round++) parallel(count);
  let whole: u64 = 0;
  for (let i: i32 = 0; i < 64; i++) {
    if (calls[i] == (i < cores ? 2000 : 0) && wrongCounts[i] == 0) whole += 1;
  }
  tell('cores ', u64(cores));
  tell('indices right ', whole);
}

/** 16 · x, with vector registers. */
function sumOfVector(x: f32): f32 {
  return f32x16.sum(f32x16.splat(x + f32(zero())));
}
