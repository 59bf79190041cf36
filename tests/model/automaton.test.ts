/** The automaton against JavaScript's own regular expressions, which are leftmost-first as well. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ACCEPT, type Automaton, buildAutomaton } from '../../src/model/tokenizer/automaton.ts';
import {
  complement,
  contains,
  propertySet,
  setOf,
} from '../../src/model/tokenizer/characterSet.ts';
import { preTokenizers } from '../../src/model/tokenizer/preTokenizers.ts';

/** Characters of the match at the start of a text, -1 without a match. */
function match(automaton: Automaton, start: number, text: string): number {
  const characters = [...text];
  let state = start;
  let end = -1;
  for (let at = 0; state !== 0; at++) {
    const isEnd = at === characters.length;
    const kind = isEnd ? automaton.endClass : classOf(automaton, characters[at]);
    const step = automaton.table[state * automaton.classes + kind];
    if (step & ACCEPT) end = at;
    if (isEnd) break;
    state = step & ~ACCEPT;
  }
  return end;
}

function classOf({ runs }: Automaton, character: string): number {
  const codePoint = character.codePointAt(0) as number;
  return runs.findLast(({ first }) => first <= codePoint)!.class;
}

/** The same in JavaScript's syntax: its \s is another set, and it has no (?i:…). */
function toRegExp(source: string): RegExp {
  const sets = source.replaceAll('\\s', '\\p{White_Space}').replaceAll('\\S', '\\P{White_Space}');
  const eitherCase = (_: string, group: string) =>
    `(?:${group.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`)})`;
  return new RegExp(sets.replace(/\(\?i:(.*?)\)/g, eitherCase), 'uy');
}

function expectAgreement(source: string, text: string, automaton: Automaton, start: number): void {
  const found = toRegExp(source).exec(text);
  expect([text, match(automaton, start, text)]).toEqual([text, found ? [...found[0]].length : -1]);
}

const characters = [..."'stlRe  \n\t\r123é中!ſ\u3000-😀\u0301\u0378AZµ、가$x"];
const texts = fc
  .array(fc.constantFrom(...characters), { maxLength: 12 })
  .map((list) => list.join(''));

/** Each rule once, under the last of its names. */
const rules = new Map([...preTokenizers].map(([name, rule]) => [rule, name]));
const phases = [...rules].flatMap(([rule, name]) =>
  rule.phases.map((source, phase) => [name, phase, source, rule] as const),
);

test.each(phases)('%s, phase %i', (_, phase, source, rule) => {
  const automaton = buildAutomaton(rule.phases);
  fc.assert(
    fc.property(texts, (text) => expectAgreement(source, text, automaton, automaton.starts[phase])),
    { numRuns: 500 },
  );
});

test.each([
  'a|ab',
  'ab|a',
  '(?:a|ab)(?:c|bcd)',
  'a*ab?',
  'a{2,4}',
  'a{2,}b|a',
  '(?:a|b)*abb',
  '(?:a*)*b',
  'a(?!b)|ab',
  'a(?=b)|a[bc]{2}',
  'a+$|a',
  '[^ab]+|a?b',
  '(?i:ab)+c',
  '[a-c\\-\\]]+|-',
])('the order of alternatives counts: %s', (source) => {
  const automaton = buildAutomaton([source]);
  const words = fc.array(fc.constantFrom(...'abcdAB-]'), { maxLength: 8 });
  fc.assert(
    fc.property(words, (word) =>
      expectAgreement(source, word.join(''), automaton, automaton.starts[0]),
    ),
  );
});

test.each(['a(', '[z-a]', 'a**?b|.', 'a{', '\\q', '\\p{Nope}', '(?!ab)c', '(a)'])(
  'what is outside the syntax is refused: %s',
  (source) => {
    expect(() => buildAutomaton([source])).toThrow(/regular expression/);
  },
);

test('sets of characters', () => {
  const set = setOf([
    [5, 9],
    [1, 2],
    [3, 3],
    [8, 12],
  ]); // prettier: adjacent and overlapping pairs join
  expect(set).toEqual([1, 4, 5, 13]);
  expect([0, 1, 3, 4, 5, 12, 13].map((point) => contains(set, point))).toEqual([
    false,
    true,
    true,
    false,
    true,
    true,
    false,
  ]);
  expect(complement(complement(set))).toEqual(set);
  const letters = propertySet('L')!;
  for (const point of [
    0x41, 0x5a, 0x5b, 0xaa, 0x4e00, 0xd7a3, 0xe000, 0x10400, 0x1f600, 0x10ffff,
  ]) {
    expect(contains(letters, point)).toBe(/\p{L}/u.test(String.fromCodePoint(point)));
  }
});
