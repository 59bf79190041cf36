import type { Tokenizer } from '../model.ts';
import { charactersOf, type Symbols, splitMerge } from './symbols.ts';

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
 * spm: every way to cut a piece in two pieces; what has the higher score is merged first, equal
 * scores from the left.
 */
function scoredMerges(tokenizer: Tokenizer, { idOf }: Symbols): Merge[] {
  const scores = tokenizer.scores as Float32Array;
  const ranks = new Map(
    [...new Set(scores)].sort((a, b) => b - a).map((score, rank) => [score, rank]),
  );
  // Where no piece is that long, none is looked for: thousands of long pieces are no hang.
  const lengths = new Set(tokenizer.pieces.map((piece) => piece.length));
  const merges: Merge[] = [];
  for (const [merged, piece] of tokenizer.pieces.entries()) {
    if (idOf.get(piece) !== merged) continue;
    const rank = ranks.get(scores[merged]) as number;
    let at = 0;
    for (const character of charactersOf(piece)) {
      if (at > 0 && lengths.has(at) && lengths.has(piece.length - at)) {
        const left = idOf.get(piece.slice(0, at));
        const right = idOf.get(piece.slice(at));
        if (left !== undefined && right !== undefined) merges.push({ left, right, merged, rank });
      }
      at += character.length;
    }
  }
  return merges;
}
