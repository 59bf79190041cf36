/**
 * What host and guest agree on at the console (docs/console.md). Here is the definition; the
 * guest has the same in guest/console/characters.ts and guest/engine/settings.ts, and
 * tests/pack/shared.test.ts holds them equal.
 */

/** The first byte of settings and report. Version 1 had none. */
export const PROTOCOL_VERSION = 3;

// ASCII's control characters, by the names of ECMA-48
export const SOH = 0x01; // settings follow
export const STX = 0x02; // text follows
export const ETX = 0x03; // end of text
export const EOT = 0x04; // switch off; guest: does so, as a person asked
export const ENQ = 0x05; // guest: ready for a request
export const DLE = 0x10; // the next byte was escaped
export const CAN = 0x18; // host: stop generating

/** Framed text has none of these but escaped: DLE, then the byte XOR ESCAPE_XOR. */
export const FRAMING = [SOH, STX, ETX, EOT, ENQ, DLE, CAN] as const;
export const ESCAPE_XOR = 0x40;

export type FieldType = 'u8' | 'i32' | 'u32' | 'f32' | 'u64';

/** A request's settings, field after field, each at a multiple of its size. */
export const SETTINGS_FIELDS = {
  version: 'u8',
  temperature: 'f32',
  topK: 'i32',
  topP: 'f32',
  minP: 'f32',
  repeatPenalty: 'f32',
  repeatLast: 'i32',
  predict: 'i32',
  seed: 'u64',
  flags: 'u32',
} as const satisfies Record<string, FieldType>;

/** Bits of the settings' flags. */
export const FLAGS = { raw: 1, forget: 2, noStartToken: 4, hashLogits: 8, segments: 16 } as const;

/** An answer's report, likewise. */
export const REPORT_FIELDS = {
  version: 'u8',
  stop: 'i32',
  promptTokens: 'i32',
  generatedTokens: 'i32',
  contextUsed: 'i32',
  shifts: 'i32',
  promptNanos: 'u64',
  generateNanos: 'u64',
  entryToReadyNanos: 'u64',
  entryToFirstTokenNanos: 'u64',
  tokensHash: 'u64',
  logitsHash: 'u64',
  bootNanos: 'u64',
  entryToMemoryReadyNanos: 'u64',
  entryToPackMappedNanos: 'u64',
  entryToCoresUpNanos: 'u64',
  entryToPromptNanos: 'u64',
} as const satisfies Record<string, FieldType>;

/** Why an answer ended, by its number in the report. */
export const STOP_REASONS = [
  'end', // the model's end token
  'limit', // --predict
  'context', // the context is full
  'cancelled',
  'promptTooLong', // nothing was generated
  'malformedRequest',
  'otherVersion', // the request's settings are of another version of the protocol
] as const;
export type StopReason = (typeof STOP_REASONS)[number];
