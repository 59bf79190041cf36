import { type Automaton, buildAutomaton } from './automaton.ts';
import { END_OF_TEXT } from './characterSet.ts';

/** The pre-tokenizer as tables. */
export interface WordTables {
  /** Start state of each phase. */
  starts: number[];
  classCount: number;
  endClass: number;
  /** u16[states][classCount], automaton.ts */
  table: Uint16Array;
  /** u16[4352]: page of each 256 code points. */
  classPages: Uint16Array;
  /** u8[pages][256]: class of each code point. */
  classes: Uint8Array;
}

const PAGE = 256;

export function compileWords(phases: string[]): WordTables {
  const automaton = buildAutomaton(phases);
  return {
    starts: automaton.starts,
    classCount: automaton.classes,
    endClass: automaton.endClass,
    table: automaton.table,
    ...pageClasses(automaton),
  };
}

/** Most pages are alike (all letters, all unassigned), so a page is stored once. */
function pageClasses({ runs }: Automaton) {
  const all = new Uint8Array(END_OF_TEXT);
  for (const [i, run] of runs.entries()) {
    all.fill(run.class, run.first, runs[i + 1]?.first ?? END_OF_TEXT);
  }
  const pages = new Map<string, number>();
  const stored: Uint8Array[] = [];
  const classPages = new Uint16Array(END_OF_TEXT / PAGE);
  for (let i = 0; i < classPages.length; i++) {
    const page = all.subarray(i * PAGE, (i + 1) * PAGE);
    const key = Buffer.from(page).toString('latin1');
    let number = pages.get(key);
    if (number === undefined) {
      number = stored.push(page) - 1;
      pages.set(key, number);
    }
    classPages[i] = number;
  }
  return { classPages, classes: Buffer.concat(stored) };
}
