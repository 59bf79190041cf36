/** Sampling options → the settings of a request. */
import { randomBytes } from 'node:crypto';
import type { Settings } from '../console/settings.ts';
import type { OptionName } from './options.ts';

export interface SamplingOptions {
  predict: number;
  temp: number;
  topK: number;
  topP: number;
  minP: number;
  repeatPenalty: number;
  repeatLastN: number;
  /** -1 or none: a random one. */
  seed?: bigint;
  raw?: boolean;
  json?: boolean;
}

/** What a command that asks takes. */
export const SAMPLING = [
  ...(['predict', 'temp', 'topK', 'topP', 'minP', 'repeatPenalty', 'repeatLastN'] as const),
  ...(['seed', 'raw'] as const),
] as const satisfies readonly OptionName[];

/** More tokens than any context has. */
const ALL_TOKENS = 2 ** 31 - 1;

export function settingsOf(options: SamplingOptions): Settings {
  const { seed = -1n } = options;
  return {
    temperature: options.temp,
    topK: Math.max(options.topK, 0),
    topP: options.topP,
    minP: options.minP,
    repeatPenalty: options.repeatPenalty,
    repeatLast: options.repeatLastN < 0 ? ALL_TOKENS : options.repeatLastN,
    seed: seed < 0n ? randomBytes(8).readBigUInt64LE() : seed,
    predict: options.predict,
    raw: options.raw ?? false,
    forget: false,
    noStartToken: false,
    hashLogits: options.json ?? false,
    segments: false,
  };
}
