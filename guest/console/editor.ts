/**
 * The line that a person types, edited in place. It is drawn by text, spaces and backspaces alone,
 * which the plainest serial terminal and UEFI's screen both know. So a line looks right as long as
 * it fits in a row, and each character in a column.
 */
import { MAX_PROMPT_BYTES } from 'model';
import { Control } from './characters.ts';
import { addLine, recalledLength, recalledLine, recallNewer, recallOlder } from './history.ts';
import { say, sayBytes } from './say.ts';

/** One more than a line may have, so that its end has an address. */
const ROOM: i32 = MAX_PROMPT_BYTES + 1;
const text = zeroed<FixedArray<u8, typeof ROOM>>(); // whole characters of UTF-8
let length: i32 = 0;
let cursor: i32 = 0; // the character before which the next one goes
let isCut = false; // something found no room

/** A character whose bytes have not all come. */
const character = zeroed<FixedArray<u8, 4>>();
let come: i32 = 0;
let wanted: i32 = 0;

/**
 * Keys that are no character, as terminals send them: ESC [ number final, or ESC O final (ECMA-48
 * 5.4; xterm).
 */
enum Sequence {
  None,
  Escape, // ESC has come
  Open, // ESC [ or ESC O has come
}
let sequence: Sequence = Sequence.None;
let parameter: i32 = 0; // the number

const OPEN_CSI: i32 = 0x5b; // [
const OPEN_SS3: i32 = 0x4f; // O
const LAST_PARAMETER: i32 = 0x3f; // what comes before the final byte is at most this
const FINAL_UP: i32 = 0x41; // A
const FINAL_DOWN: i32 = 0x42;
const FINAL_RIGHT: i32 = 0x43;
const FINAL_LEFT: i32 = 0x44;
const FINAL_END: i32 = 0x46;
const FINAL_HOME: i32 = 0x48;
const FINAL_NUMBER: i32 = 0x7e; // ~: the number says which key

/** u8[lineLength()] */
export function lineText(): Ptr<u8> {
  return ref(text[0]);
}

export function lineLength(): i32 {
  return length;
}

/** Something of it found no room: it is not what was given, and not to be asked. */
export function isLineCut(): bool {
  return isCut;
}

/** An empty line; nothing is drawn. */
export function beginLine(): void {
  length = 0;
  isCut = false;
  cursor = 0;
  come = 0;
  wanted = 0;
  sequence = Sequence.None;
}

/** A program's text takes the line's place, byte by byte. */
export function appendByte(byte: i32): void {
  if (length == MAX_PROMPT_BYTES) {
    isCut = true;
    return;
  }
  text[length] = u8(byte & 0xff);
  length++;
}

/**
 * The line is done, and becomes part of the history. False if it is empty: then nothing happens.
 */
export function finishLine(): bool {
  sequence = Sequence.None;
  if (length == 0) return false;
  moveTo(length);
  say('\n');
  addLine(lineText(), length);
  return true;
}

/** One byte that was typed. */
export function edit(byte: i32): void {
  if (sequence != Sequence.None) continueSequence(byte);
  else if (byte == Control.Tab || (byte >= 32 && byte != Control.Delete)) addToCharacter(byte);
  else pressControl(byte);
}

function continueSequence(byte: i32): void {
  const isSecond = sequence == Sequence.Escape;
  sequence = Sequence.None;
  if (byte < 32) {
    edit(byte); // the sequence was none
  } else if (isSecond) {
    if (byte == OPEN_CSI || byte == OPEN_SS3) sequence = Sequence.Open;
    parameter = 0;
  } else if (byte <= LAST_PARAMETER) {
    sequence = Sequence.Open;
    parameter = parameter * 10 + (byte & 15);
  } else {
    pressKey(byte);
  }
}

function pressControl(byte: i32): void {
  if (byte == Control.Escape) {
    sequence = Sequence.Escape;
  } else if (byte == Control.EndOfText || byte == Control.NegativeAcknowledge) {
    clear(); // Ctrl-C, Ctrl-U
  } else if ((byte == Control.Backspace || byte == Control.Delete) && cursor > 0) {
    moveTo(before(cursor));
    deleteCharacter();
  }
}

function pressKey(final: i32): void {
  const number: i32 = final == FINAL_NUMBER ? parameter : 0;
  if (final == FINAL_HOME || number == 1 || number == 7) moveTo(0);
  else if (final == FINAL_END || number == 4 || number == 8) moveTo(length);
  else if (number == 3) deleteCharacter();
  else if (final == FINAL_RIGHT) moveTo(after(cursor));
  else if (final == FINAL_LEFT) moveTo(before(cursor));
  else if (final == FINAL_UP && recallOlder()) replaceLine();
  else if (final == FINAL_DOWN && recallNewer()) replaceLine();
}

/** Nothing happens until a character is whole; bytes that belong to none are left out. */
function addToCharacter(byte: i32): void {
  const isFirst = !isContinuation(byte);
  if (isFirst) {
    come = 0;
    wanted = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
  }
  if (come == wanted) return;
  character[come] = u8(byte);
  come++;
  if (come == wanted) insertCharacter();
}

function insertCharacter(): void {
  if (wanted > MAX_PROMPT_BYTES - length) {
    isCut = true;
    return;
  }
  memory.copy(ref(text[cursor + wanted]), ref(text[cursor]), usize(length - cursor));
  memory.copy(ref(text[cursor]), ref(character[0]), usize(wanted));
  length += wanted;
  moveTo(cursor + wanted);
  drawRest(0);
}

/** The one at the cursor, if there is one. */
function deleteCharacter(): void {
  if (cursor == length) return;
  const end = after(cursor);
  memory.copy(ref(text[cursor]), ref(text[end]), usize(length - end));
  length -= end - cursor;
  drawRest(1);
}

function clear(): void {
  const columns = columnsOf(0, length);
  moveTo(0);
  length = 0;
  isCut = false;
  drawRest(columns);
}

/** By the one that the history recalled. */
function replaceLine(): void {
  clear();
  length = recalledLength();
  memory.copy(lineText(), recalledLine(), usize(length));
  moveTo(length);
}

function moveTo(place: i32): void {
  if (place > cursor) draw(cursor, place);
  else goBack(columnsOf(place, cursor));
  cursor = place;
}

/** What stands right of the cursor, and blanks where more stood before. */
function drawRest(blanks: i32): void {
  draw(cursor, length);
  for (let i: i32 = 0; i < blanks; i++) say(' ');
  goBack(columnsOf(cursor, length) + blanks);
}

/** What stands between two places. A TAB takes one column, as all characters do. */
function draw(from: i32, to: i32): void {
  let start = from;
  for (let i = from; i < to; i++) {
    if (text[i] != Control.Tab) continue;
    sayBytes(ref(text[start]), i - start);
    say(' ');
    start = i + 1;
  }
  sayBytes(ref(text[start]), to - start);
}

function goBack(columns: i32): void {
  for (let i: i32 = 0; i < columns; i++) say('\b');
}

/** Characters between two places. */
function columnsOf(from: i32, to: i32): i32 {
  let columns: i32 = 0;
  for (let i = from; i < to; i++) if (!isContinuation(i32(text[i]))) columns++;
  return columns;
}

/** Where the character before a place begins. */
function before(place: i32): i32 {
  let start = max(place - 1, 0);
  while (start > 0 && isContinuation(i32(text[start]))) start--;
  return start;
}

/** Where the character after a place ends. */
function after(place: i32): i32 {
  let end = min(place + 1, length);
  while (end < length && isContinuation(i32(text[end]))) end++;
  return end;
}

/** Whether a byte is one of a character's further ones, 10xxxxxx. */
function isContinuation(byte: i32): bool {
  return (byte & 0xc0) == 0x80;
}
