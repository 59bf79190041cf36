import { decodeFields, encodeFields } from './fields.ts';
import { FLAGS, PROTOCOL_VERSION, SETTINGS_FIELDS } from './protocol.ts';

/** How an answer is sampled and when it ends. The names are llama.cpp's. */
export interface Settings {
  /** 0: always the most probable token. */
  temperature: number;
  /** Only the k most probable tokens; 0: all. */
  topK: number;
  topP: number;
  minP: number;
  /** 1: none. */
  repeatPenalty: number;
  /** How many of the last tokens the penalty looks at. */
  repeatLast: number;
  /** 64 bits. */
  seed: bigint;
  /**
   * Most tokens to generate; -1: until the model ends; -2: or the context is full, even where older
   * tokens would make room.
   */
  predict: number;
  /** The text goes to the model as it is, without chat template. */
  raw: boolean;
  /** Forget the conversation first. */
  forget: boolean;
  /** No start token before the text. */
  noStartToken: boolean;
  /** Have the report carry a hash of every logits vector that a token was chosen from. */
  hashLogits: boolean;
  /** The text is one segment (docs/pack-format.md) of the whole conversation, not its next turn. */
  segments: boolean;
}

export const DEFAULT_SETTINGS: Settings = {
  temperature: 0.8,
  topK: 40,
  topP: 0.95,
  minP: 0.05,
  repeatPenalty: 1,
  repeatLast: 64,
  seed: 0n,
  predict: -1,
  raw: false,
  forget: false,
  noStartToken: false,
  hashLogits: false,
  segments: false,
};

const FLAG_NAMES = Object.keys(FLAGS) as (keyof typeof FLAGS)[];

/** docs/console.md, `Settings`, in hexadecimal. */
export function encodeSettings(settings: Settings): string {
  const flags = FLAG_NAMES.filter((name) => settings[name]);
  return encodeFields(SETTINGS_FIELDS, {
    ...settings,
    version: PROTOCOL_VERSION,
    seed: BigInt.asUintN(64, settings.seed),
    flags: flags.reduce((bits, name) => bits | FLAGS[name], 0),
  });
}

/** The reverse; what a guest does with a request's settings. */
export function decodeSettings(hex: string): Settings {
  const fields = decodeFields(SETTINGS_FIELDS, hex);
  if (typeof fields === 'string') throw new Error(`settings: ${fields}`);
  const { version, flags, ...numbers } = fields;
  if (version !== PROTOCOL_VERSION) {
    throw new Error(`settings: of version ${version}, expected ${PROTOCOL_VERSION}`);
  }
  const isSet = (name: keyof typeof FLAGS) => (flags & FLAGS[name]) !== 0;
  return {
    ...numbers,
    raw: isSet('raw'),
    forget: isSet('forget'),
    noStartToken: isSet('noStartToken'),
    hashLogits: isSet('hashLogits'),
    segments: isSet('segments'),
  };
}
