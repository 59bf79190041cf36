/** Reads requests from the console: framed ones from programs, lines from people. */

import { poll, read } from 'machine';
import { PROTOCOL_VERSION, type Settings, setDefaults } from '../engine/settings.ts';
import { Control, escape } from './characters.ts';
import { appendByte, beginLine, edit, finishLine, isLineCut } from './editor.ts';

export enum Request {
  End, // switch off
  Framed,
  Line,
  Malformed, // a framed request without sense
  OtherVersion, // a framed request of another version of the protocol
  LongFramed, // one whose text is longer than MAX_PROMPT_BYTES
  LongLine,
}

/** EOT has come while an answer was written. */
let isEnding = false;

/**
 * Waits for a request, whose text is then editor.ts's line. settings: the request's own, or the
 * defaults for a line.
 */
export function readRequest(settings: Ptr<Settings>): Request {
  beginLine();
  setDefaults(settings);
  while (!isEnding) {
    const byte = read();
    if (byte < 0 || byte == Control.EndOfTransmission) break;
    if (byte == Control.StartOfHeading) {
      beginLine(); // a program's request: whoever was typing is left out
      return readFramed(settings);
    }
    // an empty line may be the second half of CR LF
    if (byte != Control.LineFeed && byte != Control.CarriageReturn) edit(byte);
    else if (finishLine()) return isLineCut() ? Request.LongLine : Request.Line;
  }
  return Request.End;
}

/**
 * Whether the answer shall stop: the host sends CAN or EOT, a person types Ctrl-C, which is ETX.
 * What else was typed is lost.
 */
export function isCancelled(): bool {
  for (let byte = poll(); byte >= 0; byte = poll()) {
    isEnding = byte == Control.EndOfTransmission;
    if (isEnding || byte == Control.Cancel || byte == Control.EndOfText) return true;
  }
  return false;
}

/**
 * Hexadecimal digits up to STX fill the struct, then comes the text. ETX among the digits gives the
 * request up.
 */
function readFramed(settings: Ptr<Settings>): Request {
  const bytes = changetype<Ptr<u8>>(settings);
  const digits = i32(sizeof<Settings>()) * 2;
  let isHex = true;
  let count: i32 = 0;
  while (true) {
    const byte = read();
    if (byte < 0 || byte == Control.EndOfText) return Request.Malformed;
    if (byte == Control.StartOfText) break;
    const digit = hexDigit(byte);
    if (digit < 0) isHex = false;
    else if (count < digits) bytes[count / 2] = (bytes[count / 2] << 4) | u8(digit);
    count++;
  }
  if (!readText() || !isHex || count < 2) return Request.Malformed;
  if (settings.version != PROTOCOL_VERSION) return Request.OtherVersion; // of another length, maybe
  if (count != digits) return Request.Malformed;
  return isLineCut() ? Request.LongFramed : Request.Framed;
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
    appendByte(byte);
  }
}
