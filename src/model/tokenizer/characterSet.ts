/**
 * A set of code points: ascending, disjoint, non-adjacent ranges [first, end), flattened to
 * [first0, end0, first1, end1, …].
 */
export type CharacterSet = readonly number[];

/** One past the last code point. As a member of a set it stands for the end of the text. */
export const END_OF_TEXT = 0x110000;
const EVERYTHING_END = END_OF_TEXT + 1;

/** The set of the given [first, last] pairs, in any order. */
export function setOf(pairs: Iterable<readonly [number, number]>): CharacterSet {
  const sorted = [...pairs].sort((a, b) => a[0] - b[0]);
  const set: number[] = [];
  for (const [first, last] of sorted) {
    const end = set.length - 1;
    if (end > 0 && first <= set[end]) set[end] = Math.max(set[end], last + 1);
    else set.push(first, last + 1);
  }
  return set;
}

export function union(sets: CharacterSet[]): CharacterSet {
  return setOf(sets.flatMap(pairsOf));
}

/** All code points that are not in the set; with `orEnd`, the end of the text as well. */
export function complement(set: CharacterSet, orEnd = false): CharacterSet {
  const limit = orEnd ? EVERYTHING_END : END_OF_TEXT;
  const result: number[] = [];
  let at = 0;
  for (const [first, last] of pairsOf(set)) {
    if (first > at) result.push(at, first);
    at = last + 1;
  }
  if (at < limit) result.push(at, limit);
  return result;
}

export function contains(set: CharacterSet, codePoint: number): boolean {
  let low = 0;
  let high = set.length; // the number of bounds ≤ codePoint is odd inside a range
  while (low < high) {
    const middle = (low + high) >> 1;
    if (set[middle] <= codePoint) low = middle + 1;
    else high = middle;
  }
  return low % 2 === 1;
}

export function pairsOf(set: CharacterSet): [number, number][] {
  const pairs: [number, number][] = [];
  for (let i = 0; i < set.length; i += 2) pairs.push([set[i], set[i + 1] - 1]);
  return pairs;
}

/** A Unicode property as in \p{name}: L, N, P, Lu, White_Space … Undefined where there is none. */
export function propertySet(name: string): CharacterSet | undefined {
  const known = propertySets.get(name);
  if (known !== undefined) return known;
  let runs: RegExp;
  try {
    runs = new RegExp(`\\p{${name}}+`, 'gu');
  } catch {
    return undefined;
  }
  allCharacters ??= listCharacters();
  const pairs: [number, number][] = [];
  for (const { index, 0: run } of allCharacters.matchAll(runs)) {
    pairs.push([codePointAt(index), codePointAt(index + run.length) - 1]);
  }
  const set = setOf(pairs);
  propertySets.set(name, set);
  return set;
}

const propertySets = new Map<string, CharacterSet>();
let allCharacters: string | undefined;

// Every code point but the surrogates, in order, as one string: a property is then a few matches in
// it.
const FIRST_SURROGATE = 0xd800;
const AFTER_SURROGATES = 0xe000;
const SURROGATES = AFTER_SURROGATES - FIRST_SURROGATE;

function listCharacters(): string {
  const parts: string[] = [];
  for (let at = 0; at < END_OF_TEXT; at += 0x800) {
    if (at === FIRST_SURROGATE) continue;
    parts.push(String.fromCodePoint(...Array.from({ length: 0x800 }, (_, i) => at + i)));
  }
  return parts.join('');
}

/** The code point at an index of allCharacters. */
function codePointAt(index: number): number {
  if (index < FIRST_SURROGATE) return index;
  const basic = 0x10000 - SURROGATES;
  return index < basic ? index + SURROGATES : 0x10000 + (index - basic) / 2;
}
