/** Sampling options: names and defaults are llama.cpp's, since people know them. */
import { randomBytes } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { DEFAULT_SETTINGS, type Settings } from '../console/settings.ts';

export interface SamplingOptions {
  predict: number;
  temp: number;
  topK: number;
  topP: number;
  minP: number;
  repeatPenalty: number;
  repeatLastN: number;
  seed?: bigint;
  raw?: boolean;
  json?: boolean;
}

/** Adds the options to a command. */
export function addSampling(command: Command): Command {
  const d = DEFAULT_SETTINGS;
  return command
    .option(
      '-n, --predict <count>',
      'most tokens to generate; -1: until the end',
      integer(-1),
      d.predict,
    )
    .option(
      '--temp <t>',
      'temperature; 0: always the most probable token',
      number(0),
      d.temperature,
    )
    .option('--top-k <k>', 'only the k most probable tokens; 0: all', integer(0), d.topK)
    .option('--top-p <p>', 'only the most probable tokens up to a sum of p', number(0, 1), d.topP)
    .option(
      '--min-p <p>',
      'only tokens at least p times as probable as the best',
      number(0, 1),
      d.minP,
    )
    .option(
      '--repeat-penalty <f>',
      'penalty of repeated tokens; 1: none',
      number(0),
      d.repeatPenalty,
    )
    .option('--repeat-last-n <n>', 'tokens that the penalty looks at', integer(0), d.repeatLast)
    .option('--seed <seed>', 'seed, 64 bits; -1 or none: a random one', seed)
    .option('--raw', 'the prompt goes to the model as it is, without chat template');
}

export function settingsOf(options: SamplingOptions): Settings {
  return {
    temperature: options.temp,
    topK: options.topK,
    topP: options.topP,
    minP: options.minP,
    repeatPenalty: options.repeatPenalty,
    repeatLast: options.repeatLastN,
    seed: options.seed ?? randomBytes(8).readBigUInt64LE(),
    predict: options.predict,
    raw: options.raw ?? false,
    forget: false,
    noStartToken: false,
    hashLogits: options.json ?? false,
  };
}

/** A whole number from `least`; for commander. */
export function integer(least: number, most = 2 ** 31 - 1): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[+-]?\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`Expected a whole number from ${least}.`);
    }
    return value;
  };
}

/** A number within bounds; for commander. */
export function number(least: number, most = Number.MAX_VALUE): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= least && value <= most)) {
      const bounds = most === Number.MAX_VALUE ? `from ${least}` : `from ${least} to ${most}`;
      throw new InvalidArgumentError(`Expected a number ${bounds}.`);
    }
    return value;
  };
}

function seed(text: string): bigint | undefined {
  if (text === '-1') return undefined;
  if (!/^\d+$/.test(text) || BigInt(text) >= 2n ** 64n) {
    throw new InvalidArgumentError('Expected a whole number below 2^64, or -1.');
  }
  return BigInt(text);
}
