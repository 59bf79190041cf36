/**
 * Text → tokens and back, by the tables that src/model/tokenizer/compile.ts made of the model's
 * vocabulary. A text is cut into symbols, each a piece of the vocabulary: bytes (byte-level BPE,
 * word by word) or characters (SentencePiece). Then the two neighbours with the best merge become
 * one, until no merge is left.
 */
import { packStart } from 'machine';
import {
  TOKEN_END,
  TOKENIZER_ADD_SPACE_PREFIX,
  TOKENIZER_BYTE_TOKEN,
  TOKENIZER_CHARACTER_COUNT,
  TOKENIZER_CHARACTERS,
  TOKENIZER_CLASS_COUNT,
  TOKENIZER_CLASS_PAGES,
  TOKENIZER_CLASSES,
  TOKENIZER_DFA,
  TOKENIZER_END_CLASS,
  TOKENIZER_KIND,
  TOKENIZER_MAX_TEXT,
  TOKENIZER_MERGE_START,
  TOKENIZER_MERGES,
  TOKENIZER_PHASES,
  TOKENIZER_PIECE_BYTES,
  TOKENIZER_PIECE_OFFSETS,
  TOKENIZER_TOKENS,
  TOKENIZER_USER_START,
  TOKENIZER_USER_TOKEN_COUNT,
  TOKENIZER_USER_TOKENS,
  TOKENIZER_WHOLE_WORDS,
  TOKENIZER_WORD_COUNT,
  TOKENIZER_WORD_ORDER,
} from 'model';

const SENTENCE_PIECE: i32 = 1; // TOKENIZER_KIND
const NONE: u32 = 0xffffffff;
const REPLACEMENT: u32 = 0xfffd; // stands for a byte that is no UTF-8
const ACCEPT: u16 = 0x8000; // dfa: a match ended before this character

/** A row of tokenizer.merges. */
class Merge {
  right!: u32;
  merged!: u32;
  rank!: u32;
}

/** A row of tokenizer.characters. */
class Character {
  codePoint!: u32;
  piece!: u32;
}

/** Who takes tokens, one by one. */
type Receiver = (token: i32) => void;

// The text and who takes its tokens, set by encode.
let source: Ptr<u8> = null;
let receive: Receiver = null;

// Symbols by the position of their first byte: a linked list in place. One more for the space that
// may come first.
const ROOM: i32 = TOKENIZER_MAX_TEXT + 1;
const TREE_ROOM: i32 = 2 * ROOM;
const pieces = zeroed<FixedArray<u32, typeof ROOM>>();
const next = zeroed<FixedArray<i32, typeof ROOM>>();
const previous = zeroed<FixedArray<i32, typeof ROOM>>();
// of merging with the next symbol; NONE: they do not merge
const ranks = zeroed<FixedArray<u32, typeof ROOM>>();
const merged = zeroed<FixedArray<u32, typeof ROOM>>(); // the piece that would be
// node → position of the lowest rank below it
const best = zeroed<FixedArray<i32, typeof TREE_ROOM>>();
const cuts = zeroed<FixedArray<bool, typeof ROOM>>(); // a word begins here

/**
 * Hands the tokens of text[length] over. length: at most TOKENIZER_MAX_TEXT. isStart: nothing but a
 * special token stands before the text.
 */
export function encode(text: Ptr<u8>, length: i32, isStart: bool, to: Receiver): void {
  assert(length <= TOKENIZER_MAX_TEXT, 'text is too long');
  source = text;
  receive = to;
  if (TOKENIZER_USER_TOKEN_COUNT > 0) encodeAroundUserTokens(length, isStart);
  else encodeSpan(0, length, isStart);
}

function encodeAroundUserTokens(length: i32, isStart: bool): void {
  let start: i32 = 0;
  let isFirst = isStart;
  let at: i32 = 0;
  while (at < length) {
    const token = userTokenAt(at, length);
    if (token < 0) {
      at++;
      continue;
    }
    encodeSpan(start, at, isFirst);
    emit(u32(token));
    at += pieceLength(token);
    start = at;
    isFirst = true;
  }
  encodeSpan(start, length, isFirst);
}

/** What the token prints: bytes that may begin or end inside a character. */
export function pieceStart(token: i32): Ptr<u8> {
  return ref(packStart()[TOKENIZER_PIECE_BYTES + usize(pieceOffset(token))]);
}

export function pieceLength(token: i32): i32 {
  return i32(pieceOffset(token + 1) - pieceOffset(token));
}

/** The token ends an answer. */
export function isEnd(token: i32): bool {
  for (let i: i32 = 0; i < i32(TOKEN_END.length); i++) {
    if (TOKEN_END[i] == token) return true;
  }
  return false;
}

/** tokenizer.pieceOffsets[index], index ≤ TOKENIZER_TOKENS */
function pieceOffset(index: i32): u32 {
  assert(index >= 0 && index <= TOKENIZER_TOKENS, 'no such token');
  return load<u32>(ref(packStart()[TOKENIZER_PIECE_OFFSETS]), usize(index) * 4);
}

/** Entry of a table of u32 at an offset of the pack. */
function tableEntry(table: usize, index: i32): u32 {
  return load<u32>(ref(packStart()[table]), usize(index) * 4);
}

function emit(token: u32): void {
  if (token != NONE) receive(i32(token)); // NONE: a byte that the vocabulary lacks
}

/** The token of a symbol that begins at source[at]; what merged to no token becomes bytes. */
function emitSymbol(symbol: i32, at: i32): void {
  if (pieces[symbol] < u32(TOKENIZER_TOKENS)) {
    emit(pieces[symbol]);
    return;
  }
  const end = at + next[symbol] - symbol;
  for (let i = at; i < end; i++) emit(tableEntry(TOKENIZER_BYTE_TOKEN, i32(source[i])));
}

/** The longest user-defined token that stands at a position, or -1. */
function userTokenAt(at: i32, end: i32): i32 {
  const byte = i32(source[at]);
  const last = i32(tableEntry(TOKENIZER_USER_START, byte + 1));
  for (let i = i32(tableEntry(TOKENIZER_USER_START, byte)); i < last; i++) {
    const token = i32(tableEntry(TOKENIZER_USER_TOKENS, i));
    const length = pieceLength(token);
    if (length > end - at) continue;
    if (memory.compare(ref(source[at]), pieceStart(token), usize(length)) == 0) return token;
  }
  return -1;
}

/** Tokens of source[start … end), which has no user-defined token inside. */
function encodeSpan(start: i32, end: i32, isFirst: bool): void {
  if (start == end) return;
  if (TOKENIZER_KIND == SENTENCE_PIECE) {
    encodeCharacters(start, end, isFirst && TOKENIZER_ADD_SPACE_PREFIX);
    return;
  }
  cutWords(start, end);
  let word = start;
  while (word < end) {
    const wordEnd = nextCut(word, end);
    encodeWord(word, wordEnd);
    word = wordEnd;
  }
}

// -------------------------------------------------------------------------------------------------
// Byte-level BPE

/**
 * Cuts source[start … end) into words: each phase cuts every word again at the ends of its matches.
 */
function cutWords(start: i32, end: i32): void {
  cuts[start] = true;
  for (let i = start + 1; i < end; i++) cuts[i] = false;
  for (let phase: i32 = 0; phase < i32(TOKENIZER_PHASES.length); phase++) {
    let word = start;
    while (word < end) {
      const wordEnd = nextCut(word, end);
      cutWord(TOKENIZER_PHASES[phase], word, wordEnd);
      word = wordEnd;
    }
  }
}

function nextCut(from: i32, end: i32): i32 {
  let at = from + 1;
  while (at < end && !cuts[at]) at++;
  return at;
}

/** What lies between two matches of a phase is a word too. */
function cutWord(phase: i32, start: i32, end: i32): void {
  let at = start;
  while (at < end) {
    const matchEnd = matchAt(phase, at, end);
    if (matchEnd > at) {
      cuts[at] = true;
      if (matchEnd < end) cuts[matchEnd] = true;
      at = matchEnd;
    } else {
      characterAt(at, end);
      at += characterWidth;
    }
  }
}

/**
 * End of the phase's match at a position of a word, or -1. Steps the automaton until no match is
 * possible.
 */
function matchAt(phase: i32, start: i32, end: i32): i32 {
  const dfa = changetype<Ptr<u16>>(ref(packStart()[TOKENIZER_DFA]));
  let state = phase;
  let matchEnd: i32 = -1;
  let at = start;
  for (;;) {
    const kind = at < end ? classOf(characterAt(at, end)) : TOKENIZER_END_CLASS;
    const step = dfa[state * TOKENIZER_CLASS_COUNT + kind];
    if ((step & ACCEPT) != 0) matchEnd = at;
    state = i32(step & ~ACCEPT);
    if (state == 0 || at == end) return matchEnd;
    at += characterWidth;
  }
}

function classOf(character: u32): i32 {
  const pages = changetype<Ptr<u16>>(ref(packStart()[TOKENIZER_CLASS_PAGES]));
  const page = usize(pages[character >> 8]);
  return i32(packStart()[TOKENIZER_CLASSES + page * 256 + usize(character & 0xff)]);
}

function encodeWord(start: i32, end: i32): void {
  if (TOKENIZER_WHOLE_WORDS) {
    const token = findWord(start, end);
    if (token != NONE) {
      emit(token);
      return;
    }
  }
  const count = end - start;
  for (let i: i32 = 0; i < count; i++) {
    pieces[i] = tableEntry(TOKENIZER_BYTE_TOKEN, i32(source[start + i]));
    next[i] = i + 1;
    previous[i] = i - 1;
  }
  mergeSymbols(count);
  for (let i: i32 = 0; i < count; i = next[i]) emitSymbol(i, start + i);
}

/** The token whose bytes are exactly source[start … end): binary search in the sorted tokens. */
function findWord(start: i32, end: i32): u32 {
  const length = end - start;
  let low: i32 = 0;
  let high = TOKENIZER_WORD_COUNT;
  while (low < high) {
    const middle = (low + high) >> 1;
    const token = i32(tableEntry(TOKENIZER_WORD_ORDER, middle));
    const itsLength = pieceLength(token);
    let order = memory.compare(
      pieceStart(token),
      ref(source[start]),
      usize(min(itsLength, length)),
    );
    if (order == 0) order = itsLength - length;
    if (order == 0) return u32(token);
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return NONE;
}

// -------------------------------------------------------------------------------------------------
// SentencePiece

/** Tokens of source[start … end), after a space if `withSpace`. */
function encodeCharacters(start: i32, end: i32, withSpace: bool): void {
  const lead: i32 = withSpace ? 1 : 0;
  const count = lead + end - start;
  if (withSpace) {
    pieces[0] = pieceOfCharacter(0x20);
    next[0] = 1;
    previous[0] = -1;
  }
  let before: i32 = lead - 1;
  let at = start;
  while (at < end) {
    const symbol = lead + at - start;
    pieces[symbol] = pieceOfCharacter(characterAt(at, end));
    if (isInvalid) pieces[symbol] = NONE;
    // The bytes inside a character are no symbols: they must never win a merge.
    for (let i: i32 = 1; i < characterWidth; i++) ranks[symbol + i] = NONE;
    previous[symbol] = before;
    next[symbol] = symbol + characterWidth;
    before = symbol;
    at += characterWidth;
  }
  mergeSymbols(count);
  for (let i: i32 = 0; i < count; i = next[i]) {
    const isSpace = i < lead && pieces[i] >= u32(TOKENIZER_TOKENS);
    if (isSpace) emit(tableEntry(TOKENIZER_BYTE_TOKEN, 0x20));
    else emitSymbol(i, start + i - lead);
  }
}

/** The piece that a character is before merging, or NONE: binary search. */
function pieceOfCharacter(character: u32): u32 {
  const table = changetype<Ptr<Character>>(ref(packStart()[TOKENIZER_CHARACTERS]));
  let low: i32 = 0;
  let high = TOKENIZER_CHARACTER_COUNT;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (table[middle].codePoint == character) return table[middle].piece;
    if (table[middle].codePoint < character) low = middle + 1;
    else high = middle;
  }
  return NONE;
}

// -------------------------------------------------------------------------------------------------
// Merging

/**
 * Merges symbols 0 … count - 1 until no two neighbours merge: always the lowest rank, the leftmost
 * of equals. A tournament over all positions knows it; a merge changes two pairs and so two paths
 * to its root: O(n log n).
 */
function mergeSymbols(count: i32): void {
  let leaves: i32 = 1;
  while (leaves < count) leaves *= 2;
  for (let i: i32 = 0; i < count; i = next[i]) rankPair(i, count);
  for (let node = leaves - 1; node > 0; node--) best[node] = winnerBelow(node, leaves, count);
  if (leaves == 1) return;
  for (;;) {
    const left = best[1];
    if (rankAt(left, count) == NONE) return;
    const right = next[left];
    pieces[left] = merged[left];
    next[left] = next[right];
    if (next[left] < count) previous[next[left]] = left;
    ranks[right] = NONE;
    replay(right, leaves, count);
    rankPair(left, count);
    replay(left, leaves, count);
    if (previous[left] >= 0) {
      rankPair(previous[left], count);
      replay(previous[left], leaves, count);
    }
  }
}

/** Looks up the merge of a symbol with the next one. */
function rankPair(symbol: i32, count: i32): void {
  ranks[symbol] = NONE;
  const right = next[symbol];
  if (right >= count || pieces[symbol] == NONE || pieces[right] == NONE) return;
  const table = changetype<Ptr<Merge>>(ref(packStart()[TOKENIZER_MERGES]));
  const wanted = pieces[right];
  let low = i32(tableEntry(TOKENIZER_MERGE_START, i32(pieces[symbol])));
  let high = i32(tableEntry(TOKENIZER_MERGE_START, i32(pieces[symbol]) + 1));
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = ref(table[middle]);
    if (row.right == wanted) {
      ranks[symbol] = row.rank;
      merged[symbol] = row.merged;
      return;
    }
    if (row.right < wanted) low = middle + 1;
    else high = middle;
  }
}

/** Positions from `count` on only fill the tree up. */
function rankAt(symbol: i32, count: i32): u32 {
  return symbol < count ? ranks[symbol] : NONE;
}

/** Plays the matches from a symbol's leaf up to the root again. */
function replay(symbol: i32, leaves: i32, count: i32): void {
  for (let node = (leaves + symbol) >> 1; node > 0; node >>= 1) {
    best[node] = winnerBelow(node, leaves, count);
  }
}

/**
 * The position with the lowest rank below a node, the left one of equals. Node n has children 2n
 * and 2n + 1.
 */
function winnerBelow(node: i32, leaves: i32, count: i32): i32 {
  const child = 2 * node;
  const left = child < leaves ? best[child] : child - leaves;
  const right = child < leaves ? best[child + 1] : child + 1 - leaves;
  return rankAt(right, count) < rankAt(left, count) ? right : left;
}

// -------------------------------------------------------------------------------------------------
// UTF-8

let characterWidth: i32 = 0; // bytes of the character that characterAt found
let isInvalid = false; // it was a byte that begins no character

/** By width: the first character that needs so many bytes. */
const FIRST_OF_WIDTH: FixedArray<u32> = [0, 0, 0x80, 0x800, 0x10000];

/**
 * The character at a position; a byte that begins none (RFC 3629 §4) counts as U+FFFD by itself.
 */
function characterAt(at: i32, end: i32): u32 {
  const first = u32(source[at]);
  const width: i32 = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  let character = width == 1 ? first : first & (0x7f >> u32(width));
  isInvalid = (first >= 0x80 && first < 0xc0) || first >= 0xf8 || width > end - at;
  for (let i: i32 = 1; i < width && !isInvalid; i++) {
    const byte = u32(source[at + i]);
    if ((byte & 0xc0) != 0x80) isInvalid = true;
    character = (character << 6) | (byte & 0x3f);
  }
  if (character < FIRST_OF_WIDTH[width] || character > 0x10ffff) isInvalid = true;
  if (character >= 0xd800 && character <= 0xdfff) isInvalid = true; // a surrogate
  characterWidth = isInvalid ? 1 : width;
  return isInvalid ? REPLACEMENT : character;
}
