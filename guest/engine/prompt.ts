/** Puts a conversation's tokens together: fixed segments of the chat template around the user's text. */

import { packStart } from 'machine';
import {
  CHAT_ANSWER,
  CHAT_FIRST,
  CHAT_NEXT,
  CHAT_TRIM,
  CONTEXT,
  TOKEN_BOS,
  TOKENIZER_ADD_BOS,
  TOKENIZER_MAX_TEXT,
} from 'model';
import { encode } from './tokenizer.ts';

/** Words of a segment (docs/pack-format.md): a token id, text, or the end. */
const SEGMENT_TEXT: u32 = 0x80000000;
const SEGMENT_END: u32 = 0xffffffff;

const tokens = zeroed<FixedArray<i32, typeof CONTEXT>>(); // the conversation
let count: i32 = 0;
let isFull = false;

const text = zeroed<FixedArray<u8, typeof TOKENIZER_MAX_TEXT>>(); // not yet encoded
let textLength: i32 = 0;
let isStart = true; // the text follows a special token, or nothing

export function tokenCount(): i32 {
  return count;
}

/** i32[tokenCount()] */
export function tokenList(): Ptr<i32> {
  return ref(tokens[0]);
}

/** Goes back to the first `length` tokens. */
export function truncate(length: i32): void {
  count = length;
}

/** Appends one token; false if the context is full. */
export function append(token: i32): bool {
  if (count == CONTEXT) return false;
  tokens[count] = token;
  count++;
  return true;
}

/** Appends a turn of a chat: what the user says, up to where the answer begins. False if it does not fit. */
export function appendTurn(bytes: Ptr<u8>, length: i32): bool {
  begin();
  addSegment(count == 0 ? CHAT_FIRST : CHAT_NEXT);
  if (CHAT_TRIM) addTrimmed(bytes, length);
  else addText(bytes, length);
  addSegment(CHAT_ANSWER);
  flush();
  return !isFull;
}

/** Appends text as it is, after the start token if the model wants one and `withStart`. False if it does not fit. */
export function appendRaw(bytes: Ptr<u8>, length: i32, withStart: bool): bool {
  begin();
  if (count == 0 && TOKENIZER_ADD_BOS && withStart) addToken(TOKEN_BOS);
  addText(bytes, length);
  flush();
  return !isFull;
}

function begin(): void {
  isFull = false;
  textLength = 0;
  isStart = count == 0;
}

function addToken(token: i32): void {
  flush();
  if (!append(token)) isFull = true;
  isStart = true;
}

function addText(bytes: Ptr<u8>, length: i32): void {
  if (length > TOKENIZER_MAX_TEXT - textLength) {
    isFull = true;
    return;
  }
  memory.copy(ref(text[textLength]), bytes, usize(length));
  textLength += length;
}

/** Encodes the text that has come together: neighbouring pieces are one text. */
function flush(): void {
  if (textLength == 0 || isFull) return;
  const now = encode(ref(text[0]), textLength, isStart, ref(tokens[0]), count, CONTEXT);
  if (now < 0) isFull = true;
  else count = now;
  textLength = 0;
  isStart = false;
}

function addSegment(offset: usize): void {
  const words = changetype<Ptr<u32>>(ref(packStart()[offset]));
  let i: i32 = 0;
  while (words[i] != SEGMENT_END) {
    const word = words[i];
    i++;
    if ((word & SEGMENT_TEXT) == 0) {
      addToken(i32(word));
    } else {
      const length = i32(word & ~SEGMENT_TEXT);
      addText(changetype<Ptr<u8>>(ref(words[i])), length);
      i += (length + 3) / 4;
    }
  }
}

function isSpace(byte: u8): bool {
  return byte == 32 || (byte >= 9 && byte <= 13);
}

function addTrimmed(bytes: Ptr<u8>, length: i32): void {
  let first: i32 = 0;
  let end = length;
  while (first < end && isSpace(bytes[first])) first++;
  while (end > first && isSpace(bytes[end - 1])) end--;
  addText(ref(bytes[first]), end - first);
}
