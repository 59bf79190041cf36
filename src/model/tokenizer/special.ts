import { type ByteString, PieceType, type Tokenizer } from '../model.ts';

/**
 * Cuts a text at the pieces that stand for tokens as they are (control, unknown and user-defined
 * ones), the longest first. For texts that we vouch for, such as chat templates: in what users say,
 * `<|im_end|>` is just text.
 */
export function splitSpecial(
  tokenizer: Pick<Tokenizer, 'pieces' | 'types' | 'stripsAfter'>,
  text: ByteString,
): (number | ByteString)[] {
  const ids = new Map<ByteString, number>();
  for (const [token, piece] of tokenizer.pieces.entries()) {
    if (piece !== '' && isSpecial(tokenizer.types[token])) ids.set(piece, token);
  }
  return splitAt(ids, tokenizer.stripsAfter, text);
}

/** The same for pieces by their text. strips: tokens that take the white space after them away. */
export function splitAt(
  ids: ReadonlyMap<string, number>,
  strips: readonly number[],
  text: string,
): (number | string)[] {
  if (ids.size === 0) return text === '' ? [] : [text];
  const pieces = [...ids.keys()].sort((a, b) => b.length - a.length);
  const anyPiece = new RegExp(`(${pieces.map(escapePattern).join('|')})`);
  const parts = text
    .split(anyPiece)
    .map((part, i) => (i % 2 === 1 ? (ids.get(part) as number) : part));
  return parts
    .map((part, i) => {
      const isStripped =
        typeof part === 'string' && i > 0 && strips.includes(parts[i - 1] as number);
      return isStripped ? part.replace(/^[ \t-\r]+/, '') : part;
    })
    .filter((part) => part !== '');
}

const specialTypes = new Set<number>([PieceType.control, PieceType.unknown, PieceType.userDefined]);

export function isSpecial(type: number): boolean {
  return specialTypes.has(type);
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}
