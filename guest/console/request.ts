/** Reads requests from the console: framed ones from programs, lines from people. */

import { poll, read } from 'machine';
import { MAX_PROMPT_BYTES } from 'model';
import { type Settings, setDefaults } from '../engine/settings.ts';
import { Control, escape } from './characters.ts';
import { say, sayByte } from './say.ts';

export enum Request {
  End, // switch off
  Framed,
  Line,
  Malformed, // a framed request without sense
}

const text = zeroed<FixedArray<u8, typeof MAX_PROMPT_BYTES>>();
let length: i32 = 0;

/** u8[textLength()] of the last request; what did not fit is cut off. */
export function requestText(): Ptr<u8> {
  return ref(text[0]);
}

export function textLength(): i32 {
  return length;
}

/** Waits for a request. settings: the request's own, or the defaults for a line. */
export function readRequest(settings: Ptr<Settings>): Request {
  length = 0;
  setDefaults(settings);
  while (true) {
    const byte = read();
    if (byte < 0 || byte == Control.EndOfTransmission) return Request.End;
    if (byte == Control.StartOfHeading) {
      return readSettings(settings) && readText() ? Request.Framed : Request.Malformed;
    }
    if (byte == Control.LineFeed || byte == Control.CarriageReturn) {
      if (length == 0) continue; // an empty line, or the second half of CR LF
      say('\n');
      return Request.Line;
    }
    edit(byte);
  }
}

/** Whether the answer shall stop: the host sends CAN, a person types Ctrl-C, which is ETX. */
export function isCancelled(): bool {
  const byte = poll();
  return byte == Control.Cancel || byte == Control.EndOfText;
}

/** One key of a person's line, echoed. */
function edit(byte: i32): void {
  if (byte == Control.Backspace || byte == Control.Delete) {
    if (length == 0) return;
    // one character back: its continuation bytes, 10xxxxxx, too
    do length--;
    while (length > 0 && (text[length] & 0xc0) == 0x80);
    say('\b \b');
  } else if (byte >= 32 && length < MAX_PROMPT_BYTES) {
    text[length] = u8(byte);
    length++;
    sayByte(byte);
  }
}

/** Hexadecimal digits up to STX fill the struct; false if there are too few, too many or others. */
function readSettings(settings: Ptr<Settings>): bool {
  const bytes = changetype<Ptr<u8>>(settings);
  const digits = i32(sizeof<Settings>()) * 2;
  let isGood = true;
  let count: i32 = 0;
  while (true) {
    const byte = read();
    if (byte < 0 || byte == Control.StartOfText) break;
    const digit = hexDigit(byte);
    if (digit < 0 || count >= digits) {
      isGood = false;
    } else {
      const high = count % 2 == 0;
      const before = high ? u8(0) : bytes[count / 2];
      bytes[count / 2] = before | u8(high ? digit << 4 : digit);
      count++;
    }
  }
  return isGood && count == digits;
}

/** Value of 0-9, a-f, A-F; -1 for anything else. */
function hexDigit(byte: i32): i32 {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** Text up to ETX; false if the input ends first. */
function readText(): bool {
  while (true) {
    let byte = read();
    if (byte < 0) return false;
    if (byte == Control.EndOfText) return true;
    if (byte == Control.DataLinkEscape) byte = escape(read());
    if (length < MAX_PROMPT_BYTES) {
      text[length] = u8(byte & 0xff);
      length++;
    }
  }
}
