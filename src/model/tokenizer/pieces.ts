import { type ByteString, PieceType, type Tokenizer } from '../model.ts';
import { byteOfLetter } from './byteLetters.ts';

/** U+2581, SentencePiece's space, as bytes. */
export const SPACE_MARK: ByteString = Buffer.from('▁', 'utf8').toString('latin1');

/** The bytes that each token prints. Control, unknown and unused tokens print nothing. */
export function decodePieces(tokenizer: Tokenizer): Uint8Array[] {
  return tokenizer.pieces.map((piece, token) => decodePiece(tokenizer, piece, token));
}

function decodePiece(tokenizer: Tokenizer, piece: ByteString, token: number): Uint8Array {
  switch (tokenizer.types[token]) {
    case PieceType.control:
    case PieceType.unknown:
    case PieceType.unused:
      return new Uint8Array(0);
    case PieceType.userDefined:
      return Buffer.from(piece, 'latin1');
    case PieceType.byte: {
      const byte = byteOfPiece(piece);
      return byte === undefined ? Buffer.from(piece, 'latin1') : Uint8Array.of(byte);
    }
  }
  if (tokenizer.kind === 'bpe') return decodeLetters(piece);
  return Buffer.from(piece.replaceAll(SPACE_MARK, ' '), 'latin1');
}

/** The byte that a SentencePiece piece like `<0x0A>` stands for. */
export function byteOfPiece(piece: ByteString): number | undefined {
  const match = /^<0x([0-9A-Fa-f]{2})>$/.exec(piece);
  return match ? Number.parseInt(match[1], 16) : undefined;
}

/** Undoes GPT-2's byte letters; a character that is none of them prints as itself. */
function decodeLetters(piece: ByteString): Uint8Array {
  const bytes: number[] = [];
  for (const character of Buffer.from(piece, 'latin1').toString('utf8')) {
    const byte = byteOfLetter.get(character);
    if (byte !== undefined) bytes.push(byte);
    else bytes.push(...Buffer.from(character, 'utf8'));
  }
  return Uint8Array.from(bytes);
}
