/** Writes to the console: text for people, framed answers for programs. */
import { write } from 'machine';
import { Control, escape, needsEscape } from './characters.ts';

const MOST_WAITING: i32 = 512;

/** Bytes that are written together. */
const waiting = zeroed<FixedArray<u8, typeof MOST_WAITING>>();
let count: i32 = 0;
let lastPlain: i32 = 0;

export function say(text: string): void {
  write(utf8(text), text.length);
}

export function sayByte(byte: i32): void {
  add(byte);
  flush();
}

function add(byte: i32): void {
  if (count == MOST_WAITING) flush();
  waiting[count] = u8(byte & 0xff);
  count++;
}

function flush(): void {
  write(ref(waiting[0]), usize(count));
  count = 0;
}

/** A text, then decimal digits. */
export function sayNumber(text: string, value: u64): void {
  say(text);
  let unit: u64 = 1;
  while (value / unit >= 10) unit *= 10;
  for (; unit != 0; unit /= 10) add(48 + i32((value / unit) % 10));
  flush();
}

/** A text, then a number of tenths, with a decimal point. */
export function sayTenths(text: string, value: u64): void {
  sayNumber(text, value / 10);
  sayNumber('.', value % 10);
}

/** Bytes as they are. */
export function sayBytes(bytes: Ptr<u8>, length: i32): void {
  write(bytes, usize(length));
}

/**
 * A model's text to a terminal, which control characters would drive: question marks stand for all
 * but TAB and LF. The last byte of what came before counts too: U+0080 to U+009F are C2 80 to C2
 * 9F.
 */
export function sayPlain(bytes: Ptr<u8>, length: i32): void {
  for (let i: i32 = 0; i < length; i++) {
    const byte = i32(bytes[i]);
    const isLow = byte < 32 && byte != Control.Tab && byte != Control.LineFeed;
    const isHigh = lastPlain == 0xc2 && byte >= 0x80 && byte < 0xa0;
    add(isLow || isHigh || byte == Control.Delete ? 0x3f : byte);
    lastPlain = byte;
  }
  flush();
}

/** Bytes of framed text, escaped where they would end it. */
export function sayFramed(bytes: Ptr<u8>, length: i32): void {
  for (let i: i32 = 0; i < length; i++) {
    const byte = i32(bytes[i]);
    if (needsEscape(byte)) add(Control.DataLinkEscape);
    add(needsEscape(byte) ? escape(byte) : byte);
  }
  flush();
}

/** Memory as hexadecimal digits: a struct, little endian, in two digits a byte. */
export function sayHex(bytes: Ptr<u8>, length: i32): void {
  const digits = utf8('0123456789abcdef');
  for (let i: i32 = 0; i < length; i++) {
    add(i32(digits[bytes[i] >> 4]));
    add(i32(digits[bytes[i] & 15]));
  }
  flush();
}
