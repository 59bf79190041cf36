/**
 * The options that more than one command takes, each once: its flags, which values it has, what it
 * means. So they are checked alike and explained alike wherever they stand. Names, meaning and
 * defaults of those about sampling are llama.cpp's (`llama-completion --help`), since people know
 * them; where they allow more than one number for one thing, so do we.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_SETTINGS } from '../console/settings.ts';
import { parseDate } from '../model/chat/date.ts';
import { CACHE_TYPES } from '../plan/sizes.ts';
import type { StackName } from '../stacks/manifest.ts';
import { MOST_THREADS } from '../stacks/process.ts';
import { VARIANT_NAMES } from '../toolchain/variants.ts';

interface Row {
  flags: string;
  help: string;
  /** Text → value; throws InvalidArgumentError, which names the limits. Default: the text. */
  parse?: (text: string) => unknown;
  default?: unknown;
  choices?: readonly string[];
}

/**
 * Processors that a stack's machine works with: guest/machine/x86/layout.ts, guest/linux/kernel;
 * diet's Linux knows one.
 */
export const MOST_PROCESSORS: Record<StackName, number> = {
  linux: MOST_THREADS,
  diet: 1,
  unikernel: 16,
  metal: 16,
};

const d = DEFAULT_SETTINGS;

/** What a guest's i32 holds. */
const LARGEST = 2 ** 31 - 1;

const OPTIONS = {
  prompt: { flags: '-p, --prompt <text>', help: 'the prompt; -: read it from standard input' },
  ctxSize: {
    flags: '-c, --ctx-size <positions>',
    help: 'positions of the context; 0: all that the model was trained for (default: the same, at most 2048)',
    parse: integer(0),
  },
  ctxShift: {
    flags: '--ctx-shift',
    help: 'a full context goes on: the older half of the conversation makes room, the system prompt stays',
  },
  kv: {
    flags: '--kv <type>',
    help: 'keys and values cached as halves or in 8 bits, which takes about half the memory (default: f16)',
    choices: CACHE_TYPES,
  },
  system: { flags: '--system <text>', help: 'system prompt, in place of the chat template’s own' },
  thinking: {
    flags: '--thinking <on|off>',
    help: 'whether a model that can thinks before it answers (default: as its chat template has it)',
    parse: onOrOff,
  },
  date: {
    flags: '--date <date>',
    help: 'YYYY-MM-DD: what a chat template that asks takes for today (default: today)',
    parse: day,
  },
  tokenizer: { flags: '--tokenizer <file>', help: 'tokenizer.bin of a llama2.c checkpoint' },
  cpu: {
    flags: '--cpu <variant>',
    help: 'only code of this CPU variant (default: the best that the CPU has)',
    choices: VARIANT_NAMES,
  },
  checked: { flags: '--checked', help: 'trap on out-of-bounds, null and lossy casts' },
  threads: {
    flags: '-t, --threads <count>',
    help: 'threads (default: one per processor)',
    parse: integer(1, MOST_THREADS),
  },
  json: { flags: '--json', help: 'print one JSON object instead of text' },
  predict: {
    flags: '-n, --predict <count>',
    help: 'most tokens to generate; -1: until the model ends or the context is full; -2: the same, also with --ctx-shift',
    parse: integer(-2),
    default: d.predict,
  },
  temp: {
    flags: '--temp <t>',
    help: 'temperature; 0: always the most probable token',
    parse: number(0),
    default: d.temperature,
  },
  topK: {
    flags: '--top-k <k>',
    help: 'only the k most probable tokens; 0, -1: all',
    parse: integer(-1),
    default: d.topK,
  },
  topP: {
    flags: '--top-p <p>',
    help: 'only the most probable tokens up to a sum of p; 1: all',
    parse: number(0, 1),
    default: d.topP,
  },
  minP: {
    flags: '--min-p <p>',
    help: 'only tokens at least p times as probable as the best; 0: all',
    parse: number(0, 1),
    default: d.minP,
  },
  repeatPenalty: {
    flags: '--repeat-penalty <f>',
    help: 'penalty of repeated tokens; 1: none',
    parse: positive,
    default: d.repeatPenalty,
  },
  repeatLastN: {
    flags: '--repeat-last-n <n>',
    help: 'tokens that the penalty looks at; 0: none, -1: all of the context',
    parse: integer(-1),
    default: d.repeatLast,
  },
  seed: {
    flags: '-s, --seed <seed>',
    help: 'seed, 64 bits; -1 or none: a random one',
    parse: seed,
  },
  raw: {
    flags: '--raw',
    help: 'the prompt goes to the model as it is, without chat template',
  },
} satisfies Record<string, Row>;

export type OptionName = keyof typeof OPTIONS;

/** One of the options, for commander; `own`: what this command's differs in. */
export function option(name: OptionName, own: Partial<Row> = {}): Option {
  const row: Row = { ...OPTIONS[name], ...own };
  const made = new Option(row.flags, row.help);
  if (row.parse) made.argParser(row.parse);
  if (row.choices) made.choices(row.choices);
  if (row.default !== undefined) made.default(row.default);
  return made;
}

export function addOptions(command: Command, ...names: OptionName[]): Command {
  for (const name of names) command.addOption(option(name));
  return command;
}

/** A whole number within bounds; for commander. */
export function integer(least: number, most = LARGEST): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[+-]?\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`Expected a whole number ${describeBounds(least, most)}.`);
    }
    return value;
  };
}

/** Whole numbers with commas between them; for commander. */
export function integers(least: number, most = LARGEST): (text: string) => number[] {
  const parse = integer(least, most);
  return (text) => {
    try {
      return text.split(',').map(parse);
    } catch {
      throw new InvalidArgumentError(
        `Expected whole numbers ${describeBounds(least, most)}, with commas between them.`,
      );
    }
  };
}

/** A number within bounds; for commander. */
export function number(least: number, most = Number.MAX_VALUE): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= least && value <= most)) {
      throw new InvalidArgumentError(`Expected a number ${describeBounds(least, most)}.`);
    }
    return value;
  };
}

/** The largest numbers that there are go without saying. */
function describeBounds(least: number, most: number): string {
  return most === LARGEST || most === Number.MAX_VALUE
    ? `from ${least}`
    : `from ${least} to ${most}`;
}

function onOrOff(text: string): boolean {
  if (text === 'on' || text === 'off') return text === 'on';
  throw new InvalidArgumentError('Expected on or off.');
}

function day(text: string): string {
  const date = parseDate(text);
  if (date === undefined) throw new InvalidArgumentError('Expected a day such as 2026-02-28.');
  return date;
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && value < Number.POSITIVE_INFINITY) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
}

function seed(text: string): bigint {
  if (text === '-1') return -1n; // commander takes undefined for an empty text
  if (!/^\d+$/.test(text) || BigInt(text) >= 2n ** 64n) {
    throw new InvalidArgumentError('Expected a whole number below 2^64, or -1.');
  }
  return BigInt(text);
}
