import type { Constants } from '../../compiler/index.ts';
import { type Model, PieceType, type Tokenizer } from '../model.ts';
import { compileMerges } from './merges.ts';
import { decodePieces } from './pieces.ts';
import { preTokenizers } from './preTokenizers.ts';
import { compileSymbols } from './symbols.ts';
import { compileWords } from './words.ts';

/** TOKENIZER_KIND */
export const KINDS: Record<Tokenizer['kind'], number> = { bpe: 0, spm: 1 };

/** Fields of a row of tokenizer.merges and of tokenizer.characters, each a u32. */
export const MERGE_FIELDS = ['right', 'merged', 'rank'] as const;
export const CHARACTER_FIELDS = ['codePoint', 'piece'] as const;

/**
 * A table for the pack; its name becomes a constant with its offset (tokenizer.merges →
 * TOKENIZER_MERGES).
 */
export interface TableSection {
  name: string;
  bytes: Uint8Array;
}

export interface CompiledTables {
  sections: TableSection[];
  constants: Constants;
}

/**
 * Turns a vocabulary into the tables that guest/engine/tokenizer.ts walks. V = tokens, P = V +
 * pieces that occur only inside longer ones (symbols.ts). All little endian:
 *
 * | section | content |
 * |---|---|
 * | pieceOffsets, pieceBytes | u32[V + 1] into the bytes that each token prints |
 * | mergeStart, merges | u32[P + 1] by left piece, in {right, merged, rank} sorted by right |
 * | byteToken | u32[256]: token of a byte that stands alone |
 * | characters | spm: {code point, piece}: u32[2] sorted; piece of a character before merging |
 * | classPages, classes | bpe: u16[4352] page of 256 code points; u8[pages][256] its classes |
 * | dfa | bpe: u16[states][classes], next state, bit 15: a match ended before this character |
 * | userStart, userTokens | u32[257] by first byte, in tokens found as they stand, longest first |
 * | wordOrder | u32[V]: tokens sorted by their bytes, where words are looked up whole |
 */
export function compileTokenizer({ tokenizer }: Pick<Model, 'tokenizer'>): CompiledTables {
  const pieces = decodePieces(tokenizer);
  const symbols = compileSymbols(tokenizer);
  const merges = compileMerges(tokenizer, symbols);
  const rule = preTokenizers.get(tokenizer.preTokenizer ?? '');
  const words = compileWords(rule?.phases ?? []);
  const user = compileUserTokens(tokenizer, pieces);
  const order = tokenizer.ignoreMerges ? sortTokens(pieces, tokenizer) : [];
  const section = (name: string, table: Uint8Array | Uint16Array | Uint32Array): TableSection => ({
    name: `tokenizer.${name}`,
    // A guest address must not lie past the end of the pack, even of a table that is never read.
    bytes: table.length > 0 ? bytesOf(table) : new Uint8Array(4),
  });
  return {
    sections: [
      section('pieceOffsets', offsetsOf(pieces)),
      section('pieceBytes', Buffer.concat(pieces)),
      section('mergeStart', merges.start),
      section('merges', merges.rows),
      section('byteToken', symbols.byteToken),
      section('characters', symbols.characters),
      section('classPages', words.classPages),
      section('classes', words.classes),
      section('dfa', words.table),
      section('userStart', user.start),
      section('userTokens', user.tokens),
      section('wordOrder', Uint32Array.from(order)),
    ],
    constants: {
      TOKENIZER_KIND: KINDS[tokenizer.kind],
      TOKENIZER_TOKENS: pieces.length,
      TOKENIZER_CHARACTER_COUNT: symbols.characters.length / 2,
      TOKENIZER_CLASS_COUNT: words.classCount,
      TOKENIZER_END_CLASS: words.endClass,
      TOKENIZER_PHASES: { type: 'i32', value: words.starts.length > 0 ? words.starts : [0] },
      TOKENIZER_USER_TOKEN_COUNT: user.tokens.length,
      TOKENIZER_WHOLE_WORDS: tokenizer.ignoreMerges,
      TOKENIZER_WORD_COUNT: order.length,
      TOKENIZER_ADD_BOS: tokenizer.addBos,
      TOKENIZER_ADD_SPACE_PREFIX: tokenizer.addSpacePrefix,
      TOKENIZER_STRIP_AFTER_BOS: tokenizer.stripAfterBos,
      TOKEN_BOS: tokenizer.bos ?? -1,
      TOKEN_END: { type: 'i32', value: tokenizer.end.length > 0 ? tokenizer.end : [-1] },
    },
  };
}

function bytesOf(table: Uint8Array | Uint16Array | Uint32Array): Uint8Array {
  return new Uint8Array(table.buffer, table.byteOffset, table.byteLength);
}

function offsetsOf(pieces: Uint8Array[]): Uint32Array {
  const offsets = new Uint32Array(pieces.length + 1);
  for (const [token, piece] of pieces.entries()) offsets[token + 1] = offsets[token] + piece.length;
  return offsets;
}

/** User-defined tokens are cut out of a text before anything else happens to it. */
function compileUserTokens(tokenizer: Tokenizer, pieces: Uint8Array[]) {
  const tokens = pieces
    .map((bytes, token) => ({ bytes, token }))
    .filter(({ bytes, token }) => tokenizer.types[token] === PieceType.userDefined && bytes.length)
    .sort((a, b) => a.bytes[0] - b.bytes[0] || b.bytes.length - a.bytes.length);
  const start = new Uint32Array(257);
  for (const { bytes } of tokens) start[bytes[0] + 1]++;
  for (let byte = 0; byte < 256; byte++) start[byte + 1] += start[byte];
  return { start, tokens: Uint32Array.from(tokens, ({ token }) => token) };
}

/** Tokens that a word can be, in the order of their bytes. */
function sortTokens(pieces: Uint8Array[], tokenizer: Tokenizer): number[] {
  return [...pieces.keys()]
    .filter((token) => tokenizer.types[token] === PieceType.normal && pieces[token].length > 0)
    .sort((a, b) => Buffer.compare(pieces[a], pieces[b]));
}
