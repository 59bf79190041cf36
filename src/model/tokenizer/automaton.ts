import { type CharacterSet, contains, END_OF_TEXT } from './characterSet.ts';
import { type Expression, parseExpression } from './regularExpression.ts';

/**
 * A deterministic automaton of several regular expressions, each with a start state of its own.
 * table: u16[states][classes], entry = next state | ACCEPT. State 0 is dead: no longer match is
 * possible. ACCEPT stands on the step *after* the last character of a match, so that a lookahead is
 * only a condition on the step's class. Matching means: step until dead and remember where ACCEPT
 * was seen last.
 */
export interface Automaton {
  starts: number[];
  states: number;
  classes: number;
  table: Uint16Array;
  /** Class of the end of the text. */
  endClass: number;
  /** First code point of each run of one class, ascending from 0, with the run's class. */
  runs: { first: number; class: number }[];
}

export const ACCEPT = 0x8000;
const MAX_STATES = 4096;
const MAX_CLASSES = 255;

/**
 * One step of the nondeterministic program. `split` tries `first` before `second`: the order of
 * alternatives is kept all through the construction (leftmost-first, as Perl matches), not lost to
 * the longest match.
 */
type Step =
  | { kind: 'character' | 'next'; set: CharacterSet; then: number }
  | { kind: 'split'; first: number; second: number }
  | { kind: 'match' };

/** Builds the automaton of the given expressions (syntax: regularExpression.ts). */
export function buildAutomaton(sources: string[]): Automaton {
  const program: Step[] = [];
  const entries = sources.map((source) => {
    program.push({ kind: 'match' });
    return compileExpression(program, parseExpression(source), program.length - 1);
  });
  const { runs, classes, endClass, members } = classify(program);
  const states = new Map<string, number>([['', 0]]);
  const threads: number[][] = [[]];
  const stateOf = (list: number[]): number => {
    const key = list.join();
    let state = states.get(key);
    if (state === undefined) {
      state = threads.length;
      if (state > MAX_STATES) throw new Error(`automaton: more than ${MAX_STATES} states`);
      states.set(key, state);
      threads.push(list);
    }
    return state;
  };
  const starts = entries.map((entry) => stateOf(follow(program, entry)));
  const rows: number[][] = [];
  for (let state = 0; state < threads.length; state++) {
    rows.push(
      members.map((member) => {
        const { list, accepted } = step(program, threads[state], member);
        return stateOf(list) | (accepted ? ACCEPT : 0);
      }),
    );
  }
  return {
    starts,
    states: rows.length,
    classes,
    table: Uint16Array.from(rows.flat()),
    endClass,
    runs,
  };
}

/** Adds the steps of a tree that go on at `then`; returns where they begin. */
function compileExpression(program: Step[], tree: Expression, then: number): number {
  const add = (step: Step): number => program.push(step) - 1;
  switch (tree.kind) {
    case 'character':
    case 'next':
      return add({ kind: tree.kind, set: tree.set, then });
    case 'sequence':
      return tree.parts.reduceRight((next, part) => compileExpression(program, part, next), then);
    case 'choice':
      return tree.options
        .map((option) => compileExpression(program, option, then))
        .reduceRight((second, first) => add({ kind: 'split', first, second }));
    case 'repeat': {
      let entry = then;
      if (tree.max === Number.POSITIVE_INFINITY) {
        const loop = { kind: 'split' as const, first: 0, second: then };
        entry = add(loop);
        loop.first = compileExpression(program, tree.part, entry);
      } else {
        for (let i = tree.min; i < tree.max; i++) {
          const first = compileExpression(program, tree.part, entry);
          entry = add({ kind: 'split', first, second: then });
        }
      }
      for (let i = 0; i < tree.min; i++) entry = compileExpression(program, tree.part, entry);
      return entry;
    }
  }
}

/** The steps reached from one without a character, in order of preference; splits are gone. */
function follow(program: Step[], from: number, list: number[] = [], seen = new Set<number>()) {
  if (seen.has(from)) return list;
  seen.add(from);
  const at = program[from];
  if (at.kind === 'split') {
    follow(program, at.first, list, seen);
    follow(program, at.second, list, seen);
  } else {
    list.push(from);
  }
  return list;
}

/** What a list of steps becomes when the next character (or the end) is `member`. */
function step(program: Step[], threads: number[], member: number) {
  const list: number[] = [];
  const seen = new Set<number>();
  const visit = (thread: number): boolean => {
    const at = program[thread];
    switch (at.kind) {
      case 'match':
        return true; // the steps after this one are alternatives that it has beaten
      case 'next':
        return contains(at.set, member) && follow(program, at.then).some(visit);
      case 'character':
        if (contains(at.set, member)) follow(program, at.then, list, seen);
        return false;
      default:
        throw new Error('a split among threads');
    }
  };
  const accepted = threads.some(visit);
  return { list, accepted };
}

/** Code points that all sets treat alike are one class. members: one code point of each class. */
function classify(program: Step[]) {
  const sets = program.flatMap((step) => ('set' in step ? [step.set] : []));
  const bounds = new Set([0, END_OF_TEXT, ...sets.flatMap((set) => [...set])]);
  const firsts = [...bounds].filter((at) => at <= END_OF_TEXT).sort((a, b) => a - b);
  const classOf = new Map<string, number>();
  const members: number[] = [];
  const runs: Automaton['runs'] = [];
  for (const first of firsts) {
    const memberships = sets.map((set) => (contains(set, first) ? '1' : '0')).join('');
    const signature = first === END_OF_TEXT ? 'end' : memberships;
    let id = classOf.get(signature);
    if (id === undefined) {
      id = members.push(first) - 1;
      classOf.set(signature, id);
    }
    runs.push({ first, class: id });
  }
  const end = runs.pop() as Automaton['runs'][number];
  if (members.length > MAX_CLASSES) throw new Error(`automaton: more than ${MAX_CLASSES} classes`);
  return { runs, classes: members.length, endClass: end.class, members };
}
