/** SentencePiece's merges: every way to cut a piece in two, also of pieces that nobody has. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ByteString, PieceType, type Tokenizer } from '../../src/model/index.ts';
import { compileMerges } from '../../src/model/tokenizer/merges.ts';
import { charactersOf, compileSymbols } from '../../src/model/tokenizer/symbols.ts';

function vocabulary(pieces: ByteString[]): Tokenizer {
  return {
    kind: 'spm',
    pieces,
    types: new Uint8Array(pieces.length).fill(PieceType.normal),
    scores: Float32Array.from(pieces, (_, i) => -(i % 7)),
    merges: [],
    unknown: 0,
    end: [],
    stripsAfter: [],
    addBos: false,
    addEos: false,
    addSpacePrefix: false,
    stripAfterBos: false,
    ignoreMerges: false,
  };
}

/** `left right merged`, by what SentencePiece's rule says word for word. */
function expectedMerges(tokenizer: Tokenizer): string[] {
  const { idOf } = compileSymbols(tokenizer);
  return tokenizer.pieces.flatMap((piece, merged) => {
    const characters = charactersOf(piece);
    return characters.slice(1).flatMap((_, i) => {
      const left = idOf.get(characters.slice(0, i + 1).join(''));
      const right = idOf.get(characters.slice(i + 1).join(''));
      return left === undefined || right === undefined ? [] : [`${left} ${right} ${merged}`];
    });
  });
}

function compiledMerges(tokenizer: Tokenizer): string[] {
  const { start, rows } = compileMerges(tokenizer, compileSymbols(tokenizer));
  const found: string[] = [];
  for (let left = 0; left + 1 < start.length; left++) {
    for (let row = start[left]; row < start[left + 1]; row++) {
      found.push(`${left} ${rows[3 * row]} ${rows[3 * row + 1]}`);
    }
  }
  return found;
}

test('every way to cut a piece into two pieces', () => {
  // few letters, so that pieces are parts of one another; and bytes that are no UTF-8
  const letter = fc.constantFrom('a', 'b', '\xc3\xa4', '\xc3', '\xa4', '\xe2\x96\x81');
  const piece = fc.array(letter, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.uniqueArray(piece, { minLength: 1, maxLength: 40 }), (pieces) => {
      const tokenizer = vocabulary(pieces);
      expect(compiledMerges(tokenizer).sort()).toEqual(expectedMerges(tokenizer).sort());
    }),
    { numRuns: 300 },
  );
});

/** A linear congruential generator's letters. */
function randomPiece(length: number, seed: number): string {
  let state = seed;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return String.fromCharCode(97 + ((state >>> 16) % 26));
  }).join('');
}

test('long pieces of all lengths take no time', () => {
  const pieces = [
    ...Array.from({ length: 1000 }, (_, i) => randomPiece(4000, i + 1)),
    ...Array.from({ length: 1000 }, (_, i) => randomPiece(3 * i + 1, i + 5000)),
  ];
  const tokenizer = vocabulary([...new Set(pieces)]);
  const symbols = compileSymbols(tokenizer);
  const before = process.cpuUsage();
  compileMerges(tokenizer, symbols);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6).toBeLessThan(5); // seconds; it took 20 times as long
});

test('more merges than a vocabulary has are refused', () => {
  const tokenizer = vocabulary(Array.from({ length: 2200 }, (_, i) => 'a'.repeat(i + 1)));
  expect(() => compileMerges(tokenizer, compileSymbols(tokenizer))).toThrow(
    /^the vocabulary: its pieces can be merged in more than 2097152 ways/,
  );
});
