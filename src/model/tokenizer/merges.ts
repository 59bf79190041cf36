import type { ByteString, Tokenizer } from '../model.ts';
import { charactersOf, NONE, type Symbols, splitMerge } from './symbols.ts';

/** Which pairs of pieces may be merged. */
export interface MergeTable {
  /** u32[P + 1]: where the rows of a left piece begin. */
  start: Uint32Array;
  /**
   * {right, merged, rank}: u32[3] each, sorted by right within a left; the lowest rank is merged
   * first.
   */
  rows: Uint32Array;
}

interface Merge {
  left: number;
  right: number;
  merged: number;
  rank: number;
}

export function compileMerges(tokenizer: Tokenizer, symbols: Symbols): MergeTable {
  const merges =
    tokenizer.kind === 'bpe' ? listedMerges(tokenizer, symbols) : scoredMerges(tokenizer, symbols);
  merges.sort((a, b) => a.left - b.left || a.right - b.right || a.rank - b.rank);
  const start = new Uint32Array(symbols.count + 1);
  const rows: number[] = [];
  let last: Merge | undefined;
  for (const merge of merges) {
    const isRepeated = last?.left === merge.left && last.right === merge.right;
    last = merge;
    if (isRepeated) continue; // the same pair once more, further down the list
    rows.push(merge.right, merge.merged, merge.rank);
    start[merge.left + 1]++;
  }
  for (let left = 0; left < symbols.count; left++) start[left + 1] += start[left];
  return { start, rows: Uint32Array.from(rows) };
}

/** bpe: the first line is merged first. What no text becomes has no id, and is never merged. */
function listedMerges(tokenizer: Tokenizer, { idOf }: Symbols): Merge[] {
  const merges: Merge[] = [];
  for (const [rank, line] of tokenizer.merges.entries()) {
    const parts = splitMerge(line);
    const [left, right, merged] = [...parts, parts.join('')].map((piece) => idOf.get(piece));
    if (left === undefined || right === undefined || merged === undefined) continue;
    merges.push({ left, right, merged, rank });
  }
  return merges;
}

/**
 * The most merges that are made of a SentencePiece vocabulary: four times Gemma 3's. There may be
 * as many as it has bytes, where its pieces are parts of one another.
 */
const MOST_MERGES = 1 << 21;

/**
 * spm: every way to cut a piece in two pieces; what has the higher score is merged first, equal
 * scores from the left.
 */
function scoredMerges(tokenizer: Tokenizer, { idOf, count }: Symbols): Merge[] {
  const scores = tokenizer.scores as Float32Array;
  const ranks = new Map(
    [...new Set(scores)].sort((a, b) => b - a).map((score, rank) => [score, rank]),
  );
  const all = [...idOf];
  const ends = all.map(([piece, id]): [ByteString, number] => [reversed(piece), id]);
  const [heads, tails] = [findHeads(all, count), findHeads(ends, count)];
  const longest = all.reduce((most, [piece]) => Math.max(most, piece.length), 0);
  // by length: the pieces that the present one begins and ends with
  const [lefts, rights] = [heads, tails].map(() => new Uint32Array(longest + 1).fill(NONE));
  const lengths = new Uint32Array(count);
  for (const [piece, id] of all) lengths[id] = piece.length;
  const fill = (byLength: Uint32Array, parts: Uint32Array, piece: number, isThere: boolean) => {
    for (let id = parts[piece]; id !== NONE; id = parts[id]) {
      byLength[lengths[id]] = isThere ? id : NONE;
    }
  };
  const merges: Merge[] = [];
  for (const [merged, piece] of tokenizer.pieces.entries()) {
    if (idOf.get(piece) !== merged) continue;
    const rank = ranks.get(scores[merged]) as number;
    fill(lefts, heads, merged, true);
    fill(rights, tails, merged, true);
    let at = 0;
    for (const character of charactersOf(piece)) {
      const [left, right] = [lefts[at], rights[piece.length - at]];
      if (at > 0 && left !== NONE && right !== NONE) merges.push({ left, right, merged, rank });
      at += character.length;
    }
    fill(lefts, heads, merged, false);
    fill(rights, tails, merged, false);
    if (merges.length > MOST_MERGES) {
      throw new Error(
        `the vocabulary: its pieces can be merged in more than ${MOST_MERGES} ways: take a model with another one`,
      );
    }
  }
  return merges;
}

function reversed(piece: ByteString): ByteString {
  return Buffer.from(piece, 'latin1').reverse().toString('latin1');
}

/**
 * The longest other piece that each begins with, by id, or NONE: so from piece to piece all of
 * them. Sorted, a piece comes after those that it begins with, and between them is nothing but what
 * begins with them too. One pass over the bytes; to look up every part of every piece would take
 * the square of a piece's length.
 */
function findHeads(pieces: readonly [ByteString, number][], count: number): Uint32Array {
  const heads = new Uint32Array(count).fill(NONE);
  const open: [ByteString, number][] = [];
  for (const entry of [...pieces].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [piece, id] = entry;
    while (open.length > 0 && !piece.startsWith(open[open.length - 1][0])) open.pop();
    if (open.length > 0) heads[id] = open[open.length - 1][1];
    open.push(entry);
  }
  return heads;
}
