/**
 * Puts a conversation's tokens together: fixed segments of the chat template around the user's
 * text.
 */

import { packStart } from 'machine';
import {
  CHAT_ANSWER,
  CHAT_FIRST,
  CHAT_NEXT,
  CHAT_STRIPS,
  CHAT_TRIM,
  CONTEXT,
  CONTEXT_SHIFT,
  TOKEN_BOS,
  TOKENIZER_ADD_BOS,
  TOKENIZER_MAX_TEXT,
  VOCABULARY,
} from 'model';
import { encode } from './tokenizer.ts';

/** Words of a segment (docs/pack-format.md): a token id, text, or the end. */
const SEGMENT_TEXT: u32 = 0x80000000;
const SEGMENT_END: u32 = 0xffffffff;

/** A context; and a prompt that fills one more, before older tokens have made room for it. */
const ROOM: i32 = CONTEXT_SHIFT ? 2 * CONTEXT : CONTEXT;

const tokens = zeroed<FixedArray<i32, typeof ROOM>>(); // the conversation
let count: i32 = 0;
let kept: i32 = 0; // of a conversation that was replaced, as far as the new one is the same
let lasting: i32 = 0; // of its first tokens: those that stay when older ones make room
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

/** Appends one token; false if there are `most` already. */
export function append(token: i32, most: i32): bool {
  if (count == most) return false;
  if (tokens[count] != token) kept = min(kept, count);
  tokens[count] = token;
  count++;
  return true;
}

/**
 * The conversation's first tokens, which stay: the start token and, of a chat, what the template
 * has before the first question, the system prompt above all.
 */
export function lastingCount(): i32 {
  return lasting;
}

/**
 * Leaves out the older half of the tokens before `end`, but for those that stay; those after it
 * move up. As many as llama.cpp discards: (n_past - n_keep) / 2. Returns how many: 0 if there were
 * none.
 */
export function leaveOut(end: i32): i32 {
  const rest = end - lasting;
  if (rest <= 0) return 0;
  const half = max(rest / 2, 1);
  const moved = usize(count - lasting - half) * sizeof<i32>();
  memory.copy(ref(tokens[lasting]), ref(tokens[lasting + half]), moved);
  count -= half;
  return half;
}

/**
 * Appends a turn of a chat: what the user says, up to where the answer begins. False if it does not
 * fit into a context.
 */
export function appendTurn(bytes: Ptr<u8>, length: i32): bool {
  begin();
  const isFirst = count == 0;
  addSegment(ref(packStart()[isFirst ? CHAT_FIRST : CHAT_NEXT]), u32.MAX_VALUE);
  if (CONTEXT_SHIFT && isFirst) lasting = countWithText();
  if (CHAT_TRIM) addTrimmed(bytes, length);
  else if (CHAT_STRIPS) addStripped(bytes, length);
  else addText(bytes, length);
  addSegment(ref(packStart()[CHAT_ANSWER]), u32.MAX_VALUE);
  flush();
  return !isFull;
}

/**
 * Puts a conversation that the host has written in place of this one; nothing, if it is no segment.
 * How many tokens at its start have stayed the same; -1 if it does not fit.
 */
export function replaceAll(segment: Ptr<u8>, length: i32): i32 {
  kept = count;
  count = 0;
  begin();
  if (CONTEXT_SHIFT) lasting = TOKENIZER_ADD_BOS ? 1 : 0;
  const isSegment = addSegment(segment, u32(length) / 4) * 4 == u32(length);
  flush();
  if (!isSegment) count = 0;
  return isFull && isSegment ? -1 : min(kept, count);
}

/**
 * Appends text as it is, after the start token if the model wants one and `withStart`. False if it
 * does not fit.
 */
export function appendRaw(bytes: Ptr<u8>, length: i32, withStart: bool): bool {
  begin();
  if (CONTEXT_SHIFT && count == 0) lasting = TOKENIZER_ADD_BOS && withStart ? 1 : 0;
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
  take(token);
  isStart = true;
}

function take(token: i32): void {
  if (!append(token, ROOM)) isFull = true;
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
  encode(ref(text[0]), textLength, isStart, take);
  textLength = 0;
  isStart = false;
}

/** How many tokens there were if the text so far were all. */
function countWithText(): i32 {
  const before = count;
  encode(ref(text[0]), textLength, isStart, take);
  const all = count;
  count = before;
  return all;
}

/**
 * How many words it had, its end being one: at most `words`, and 0 if it has no end there, or a
 * token that there is not.
 */
function addSegment(segment: Ptr<u8>, words: u32): u32 {
  let i: u32 = 0;
  while (i < words) {
    const word = load<u32>(segment, usize(i) * 4);
    const value = word & ~SEGMENT_TEXT;
    i++;
    if (word == SEGMENT_END) return i;
    const size = word == value ? 0 : (value + 3) / 4;
    if (size > words - i || (word == value && value >= u32(VOCABULARY))) return 0;
    if (word == value) addToken(i32(value));
    else addText(ref(segment[i * 4]), i32(value));
    i += size;
  }
  return 0;
}

/** Without the white space at its start, in the sense of C's isspace. */
function addStripped(bytes: Ptr<u8>, length: i32): void {
  let start: i32 = 0;
  while (start < length && (bytes[start] == 0x20 || (bytes[start] >= 0x09 && bytes[start] <= 0x0d)))
    start++;
  addText(ref(bytes[start]), length - start);
}

function addTrimmed(bytes: Ptr<u8>, length: i32): void {
  let first = length; // of what is no white space
  let end: i32 = 0;
  let at: i32 = 0;
  while (at < length) {
    const width = spaceAt(bytes, at, length);
    if (width == 0) {
      first = min(first, at);
      end = at + 1;
    }
    at += max(width, 1);
  }
  if (first < end) addText(ref(bytes[first]), end - first);
}

/**
 * Bytes of the white space at a place, 0 if there is none. It is what Jinja's `trim` strips:
 * Python's str.isspace(), which is Unicode's category Zs and the bidirectional types B, S and WS
 * (UnicodeData.txt).
 */
function spaceAt(bytes: Ptr<u8>, at: i32, end: i32): i32 {
  const byte = u32(bytes[at]);
  if (byte == 0x20 || (byte >= 0x09 && byte <= 0x0d) || (byte >= 0x1c && byte <= 0x1f)) return 1;
  if (byte < 0xc2 || end - at < 2) return 0;
  const two = (byte << 8) | u32(bytes[at + 1]);
  if (two == 0xc285 || two == 0xc2a0) return 2; // U+0085, U+00A0
  if (end - at < 3) return 0;
  const three = (two << 8) | u32(bytes[at + 2]);
  const isSpace =
    three == 0xe19a80 || // U+1680
    (three >= 0xe28080 && three <= 0xe2808a) || // U+2000 to U+200A
    (three >= 0xe280a8 && three <= 0xe280a9) || // U+2028, U+2029
    three == 0xe280af || // U+202F
    three == 0xe2819f || // U+205F
    three == 0xe38080; // U+3000
  return isSpace ? 3 : 0;
}
