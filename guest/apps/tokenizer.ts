/**
 * The tokenizer alone, for the host: compiled to WebAssembly, it is root, machine and pack in one
 * (src/model/hostTokenizer.ts). So host and guest have the same tokens by construction.
 */
import { TOKENIZER_MAX_TEXT, type TOKENIZER_TABLE_BYTES } from 'model';
import { encode, pieceLength, pieceStart } from '../engine/tokenizer.ts';

// a token for every byte and for the space that may come first
const MAX_TOKENS: i32 = TOKENIZER_MAX_TEXT + 1;

/** @align 64 */
const tables = zeroed<FixedArray<u8, typeof TOKENIZER_TABLE_BYTES>>();
const text = zeroed<FixedArray<u8, typeof TOKENIZER_MAX_TEXT>>();
const tokens = zeroed<FixedArray<i32, typeof MAX_TOKENS>>();
let count: i32 = 0;

/** Where the host puts the tables. */
export function packStart(): Ptr<u8> {
  return ref(tables[0]);
}

/** Where the host puts the text. */
export function textStart(): Ptr<u8> {
  return ref(text[0]);
}

/** Where the host finds the tokens. */
export function tokenStart(): Ptr<i32> {
  return ref(tokens[0]);
}

/** Encodes `length` bytes of the text; how many tokens they are. */
export function encodeText(length: i32, isStart: bool): i32 {
  count = 0;
  encode(ref(text[0]), length, isStart, keep);
  return count;
}

function keep(token: i32): void {
  tokens[count] = token;
  count++;
}

export function pieceAddress(token: i32): Ptr<u8> {
  return pieceStart(token);
}

export function pieceBytes(token: i32): i32 {
  return pieceLength(token);
}
