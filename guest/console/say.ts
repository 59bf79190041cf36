/** Writes to the console: text for people, framed answers for programs. */
import { write } from 'machine';
import { Control, escape, needsEscape } from './characters.ts';

const FRAME: i32 = 512; // bytes that are escaped at a time

const single = zeroed<FixedArray<u8, 1>>();
const frame = zeroed<FixedArray<u8, typeof FRAME>>();
let lastPlain: i32 = 0;

export function say(text: string): void {
  write(utf8(text), text.length);
}

export function sayByte(byte: i32): void {
  single[0] = u8(byte & 0xff);
  write(ref(single[0]), 1);
}

/** Decimal digits. */
export function sayNumber(value: u64): void {
  let rest = value;
  let at = FRAME;
  do {
    at--;
    frame[at] = u8(48 + (rest % 10));
    rest /= 10;
  } while (rest != 0);
  sayBytes(ref(frame[at]), FRAME - at);
}

/** A number of tenths, with a decimal point. */
export function sayTenths(value: u64): void {
  sayNumber(value / 10);
  say('.');
  sayNumber(value % 10);
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
    sayByte(isLow || isHigh || byte == Control.Delete ? 0x3f : byte);
    lastPlain = byte;
  }
}

/** Bytes of framed text, escaped where they would end it. */
export function sayFramed(bytes: Ptr<u8>, length: i32): void {
  let used: i32 = 0;
  for (let i: i32 = 0; i < length; i++) {
    if (used > FRAME - 2) {
      write(ref(frame[0]), usize(used));
      used = 0;
    }
    const byte = i32(bytes[i]);
    if (needsEscape(byte)) {
      frame[used] = Control.DataLinkEscape;
      frame[used + 1] = u8(escape(byte));
      used += 2;
    } else {
      frame[used] = u8(byte);
      used++;
    }
  }
  write(ref(frame[0]), usize(used));
}

/** Memory as hexadecimal digits: a struct, little endian, in two digits a byte. */
export function sayHex(bytes: Ptr<u8>, length: i32): void {
  const digits = utf8('0123456789abcdef');
  for (let i: i32 = 0; i < length; i++) {
    frame[0] = digits[bytes[i] >> 4];
    frame[1] = digits[bytes[i] & 15];
    write(ref(frame[0]), 2);
  }
}
