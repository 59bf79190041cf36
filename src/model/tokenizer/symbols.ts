import { type ByteString, PieceType, type Tokenizer } from '../model.ts';
import { letterOfByte } from './byteLetters.ts';
import { byteOfPiece, SPACE_MARK } from './pieces.ts';

/** In tables of ids: none. */
export const NONE = 0xffffffff;

/**
 * What a text is cut into before merging: characters (spm) or bytes (bpe), each a piece with an id.
 */
export interface Symbols {
  /**
   * Every piece that takes part in merging: tokens by id, then, from V on, what is no token by
   * itself. spm: characters; bpe: results of merges, control tokens among them, since a text does
   * not become one.
   */
  idOf: Map<ByteString, number>;
  /** P: one past the largest id. */
  count: number;
  /** u32[256]: bpe: the token of each byte; spm: the token of a byte that nothing else covers. */
  byteToken: Uint32Array;
  /** spm: {code point, piece id} sorted by code point, u32[2] each. */
  characters: Uint32Array;
}

export function compileSymbols(tokenizer: Tokenizer): Symbols {
  const idOf = new Map<ByteString, number>();
  for (const [token, piece] of tokenizer.pieces.entries()) {
    const type = tokenizer.types[token];
    const isText =
      type === PieceType.normal || type === PieceType.userDefined || type === PieceType.unused;
    if (isText && piece !== '') idOf.set(piece, token);
  }
  const byteToken = new Uint32Array(256).fill(NONE);
  if (tokenizer.kind === 'bpe') {
    for (const [byte, letter] of letterOfByte.entries()) {
      byteToken[byte] = idOf.get(Buffer.from(letter, 'utf8').toString('latin1')) ?? NONE;
    }
    const count = addMergeResults(tokenizer, idOf);
    return { idOf, count, byteToken, characters: new Uint32Array(0) };
  }
  fillByteTokens(tokenizer, idOf, byteToken);
  return { ...listCharacters(tokenizer, idOf), byteToken };
}

/**
 * bpe: merges go by text, as in llama.cpp (llama-vocab.cpp, llm_tokenizer_bpe_session), so each
 * result gets an id though it is no token: it may be merged further, or becomes bytes. Returns P.
 */
function addMergeResults(tokenizer: Tokenizer, idOf: Map<ByteString, number>): number {
  let count = tokenizer.pieces.length;
  for (const line of tokenizer.merges) {
    const result = splitMerge(line).join('');
    if (!idOf.has(result)) idOf.set(result, count++);
  }
  return count;
}

/** The two parts of a merge, `left right`; the left one may begin with a space. */
export function splitMerge(line: ByteString): [left: ByteString, right: ByteString] {
  const space = line.indexOf(' ', 1);
  return [line.slice(0, space), line.slice(space + 1)];
}

/**
 * spm: `<0xNN>`; where a vocabulary has none, the byte as a piece of its own, or the unknown token.
 */
function fillByteTokens(
  tokenizer: Tokenizer,
  idOf: Map<ByteString, number>,
  byteToken: Uint32Array,
): void {
  for (let byte = 0; byte < 128; byte++) {
    const token = idOf.get(String.fromCharCode(byte));
    if (token !== undefined) byteToken[byte] = token;
  }
  for (const [token, piece] of tokenizer.pieces.entries()) {
    const byte = tokenizer.types[token] === PieceType.byte ? byteOfPiece(piece) : undefined;
    if (byte !== undefined) byteToken[byte] = token;
  }
  for (let byte = 0; byte < 256; byte++) {
    if (byteToken[byte] === NONE) byteToken[byte] = tokenizer.unknown ?? NONE;
  }
}

/**
 * spm: every character of a piece, with its own token or a new id from V on: such a character can
 * be merged, and becomes bytes if it is not. llama2.c is stricter: there it becomes bytes at once.
 */
function listCharacters(tokenizer: Tokenizer, idOf: Map<ByteString, number>) {
  let count = tokenizer.pieces.length;
  const characters = new Map<number, number>();
  const all = new Set<ByteString>();
  for (const piece of idOf.keys()) {
    for (const character of charactersOf(piece)) all.add(character);
  }
  for (const character of all) {
    let id = idOf.get(character);
    if (id === undefined && !tokenizer.stripAfterBos) {
      id = count++;
      idOf.set(character, id);
    }
    const codePoint = Buffer.from(character, 'latin1').toString('utf8').codePointAt(0) as number;
    if (id !== undefined) characters.set(codePoint, id);
  }
  const space = idOf.get(SPACE_MARK);
  if (space !== undefined) characters.set(0x20, space);
  const sorted = [...characters].sort((a, b) => a[0] - b[0]);
  return { idOf, count, characters: Uint32Array.from(sorted.flat()) };
}

/** The UTF-8 characters of a piece, each as bytes; a byte that begins none stands alone. */
export function charactersOf(piece: ByteString): ByteString[] {
  return (
    piece.match(/[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|./gs) ??
    []
  );
}
