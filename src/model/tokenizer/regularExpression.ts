import {
  type CharacterSet,
  complement,
  contains,
  END_OF_TEXT,
  propertySet,
  setOf,
  union,
} from './characterSet.ts';

/** A regular expression as a tree. */
export type Expression =
  | { kind: 'character'; set: CharacterSet }
  /** Nothing, if the next character (or END_OF_TEXT) is in the set. */
  | { kind: 'next'; set: CharacterSet }
  | { kind: 'sequence'; parts: Expression[] }
  /** The first of the options that leads to a match wins, as in Perl. */
  | { kind: 'choice'; options: Expression[] }
  /** Greedy; max may be Infinity. */
  | { kind: 'repeat'; part: Expression; min: number; max: number };

/**
 * Parses the syntax that pre-tokenizers use: literals, `.` is not among it, classes [a-z\s^…],
 * \p{..} \P{..} \s \S \d, \r \n \t \uXXXX, groups (?:…) and (?i:…) (ASCII letters), alternatives, ?
 * * + {m} {m,n} {m,}, one-character lookahead (?!x) and (?=x), and $ (end of the text).
 */
export function parseExpression(source: string): Expression {
  const parser = new Parser(source);
  const tree = parser.choice();
  parser.expectEnd();
  return tree;
}

const escapes: Record<string, number> = { n: 10, r: 13, t: 9, f: 12, v: 11, '0': 0 };
const digits = setOf([[48, 57]]);

class Parser {
  readonly #source: string;
  readonly #characters: string[];
  #at = 0;
  #ignoreCase = false;

  constructor(source: string) {
    this.#source = source;
    this.#characters = [...source];
  }

  expectEnd(): void {
    if (this.#at < this.#characters.length) throw this.#error('an end');
  }

  choice(): Expression {
    const options = [this.#sequence()];
    while (this.#skip('|')) options.push(this.#sequence());
    return options.length === 1 ? options[0] : { kind: 'choice', options };
  }

  #sequence(): Expression {
    const parts: Expression[] = [];
    while (this.#at < this.#characters.length && !'|)'.includes(this.#peek())) {
      parts.push(this.#repeated());
    }
    return parts.length === 1 ? parts[0] : { kind: 'sequence', parts };
  }

  #repeated(): Expression {
    let part = this.#atom();
    for (;;) {
      if (this.#skip('?')) part = { kind: 'repeat', part, min: 0, max: 1 };
      else if (this.#skip('*')) part = { kind: 'repeat', part, min: 0, max: Infinity };
      else if (this.#skip('+')) part = { kind: 'repeat', part, min: 1, max: Infinity };
      else if (this.#skip('{')) part = { kind: 'repeat', part, ...this.#bounds() };
      else return part;
    }
  }

  #bounds(): { min: number; max: number } {
    const min = this.#number();
    let max = min;
    if (this.#skip(',')) max = this.#peek() === '}' ? Infinity : this.#number();
    this.#expect('}');
    return { min, max };
  }

  #number(): number {
    let text = '';
    while (/\d/.test(this.#peek())) text += this.#take();
    if (text === '') throw this.#error('a number');
    return Number(text);
  }

  #atom(): Expression {
    if (this.#skip('(')) return this.#group();
    if (this.#skip('$')) return { kind: 'next', set: [END_OF_TEXT, END_OF_TEXT + 1] };
    if (this.#skip('[')) return { kind: 'character', set: this.#class() };
    if ('*+?{}]^.'.includes(this.#peek())) throw this.#error('a literal');
    return { kind: 'character', set: this.#folded(this.#one()) };
  }

  #group(): Expression {
    if (!this.#skip('?')) throw this.#error('(?:');
    if (this.#skip('!')) return { kind: 'next', set: complement(this.#lookahead(), true) };
    if (this.#skip('=')) return { kind: 'next', set: this.#lookahead() };
    const outer = this.#ignoreCase;
    if (this.#skip('i')) this.#ignoreCase = true;
    this.#expect(':');
    const inside = this.choice();
    this.#expect(')');
    this.#ignoreCase = outer;
    return inside;
  }

  /** The one character that a lookahead tests. */
  #lookahead(): CharacterSet {
    const inside = this.choice();
    this.#expect(')');
    if (inside.kind !== 'character') throw this.#error('a lookahead of one character');
    return inside.set;
  }

  #class(): CharacterSet {
    const negated = this.#skip('^');
    const sets: CharacterSet[] = [];
    while (!this.#skip(']')) {
      const set = this.#one();
      if (this.#peek() !== '-' || this.#characters[this.#at + 1] === ']') {
        sets.push(this.#folded(set));
        continue;
      }
      this.#take();
      const to = this.#one();
      if (set[1] - set[0] !== 1 || to[1] - to[0] !== 1 || to[0] < set[0]) {
        throw this.#error('a range');
      }
      sets.push(this.#folded([set[0], to[1]]));
    }
    const set = union(sets);
    return negated ? complement(set) : set;
  }

  /** A literal character or an escape: a set of one, or of a class. */
  #one(): CharacterSet {
    const character = this.#take();
    if (character !== '\\') {
      const codePoint = character.codePointAt(0) as number;
      return [codePoint, codePoint + 1];
    }
    const name = this.#take();
    if (name === 's' || name === 'S') {
      const space = this.#property('White_Space');
      return name === 's' ? space : complement(space);
    }
    if (name === 'd') return digits;
    if (name === 'p' || name === 'P') {
      this.#expect('{');
      let property = '';
      while (this.#peek() !== '}') property += this.#take();
      this.#expect('}');
      const set = this.#property(property);
      return name === 'p' ? set : complement(set);
    }
    if (name === 'u') {
      const codePoint = Number.parseInt(Array.from({ length: 4 }, () => this.#take()).join(''), 16);
      return [codePoint, codePoint + 1];
    }
    if (Object.hasOwn(escapes, name)) return [escapes[name], escapes[name] + 1];
    if (/[A-Za-z0-9]/.test(name)) throw this.#error('a known escape');
    const codePoint = name.codePointAt(0) as number;
    return [codePoint, codePoint + 1];
  }

  #property(name: string): CharacterSet {
    const set = propertySet(name);
    if (set === undefined) throw this.#error(`a Unicode property, not ${name}`);
    return set;
  }

  /** With (?i:…), ASCII letters stand for both cases. */
  #folded(set: CharacterSet): CharacterSet {
    if (!this.#ignoreCase) return set;
    const other: [number, number][] = [];
    for (let letter = 65; letter <= 90; letter++) {
      if (contains(set, letter)) other.push([letter + 32, letter + 32]);
      if (contains(set, letter + 32)) other.push([letter, letter]);
    }
    return union([set, setOf(other)]);
  }

  #peek(): string {
    return this.#characters[this.#at] ?? '';
  }

  #take(): string {
    if (this.#at >= this.#characters.length) throw this.#error('more');
    return this.#characters[this.#at++];
  }

  #skip(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at++;
    return true;
  }

  #expect(character: string): void {
    if (!this.#skip(character)) throw this.#error(character);
  }

  #error(expected: string): Error {
    return new Error(
      `regular expression ${this.#source}: expected ${expected} at character ${this.#at}`,
    );
  }
}
