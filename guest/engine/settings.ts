/**
 * What a request may set, and what an answer reports: docs/console.md has the fields as bytes.
 * src/console/protocol.ts defines them; tests/pack/shared.test.ts holds both equal.
 */

/** Of the console protocol: the first byte of both structs. */
export const PROTOCOL_VERSION: u8 = 3;

export class Settings {
  version!: u8;
  temperature!: f32; // ≤ 0: always the most probable token
  topK!: i32; // 0: all
  topP!: f32;
  minP!: f32;
  repeatPenalty!: f32; // 1: none
  repeatLast!: i32; // tokens that the penalty looks back on, at most RECENT
  predict!: i32; // -1: until the model ends, -2: or the context is full, whatever --ctx-shift
  seed!: u64;
  flags!: u32;
}

/** Bits of Settings.flags. */
export enum Flag {
  Raw = 1, // the text as it is, no chat template
  Forget = 2, // a new conversation first
  NoStart = 4, // no start token
  HashLogits = 8,
  Segments = 16, // the text is a segment (docs/pack-format.md): all of the conversation
}

export enum Stop {
  EndToken,
  Limit,
  ContextFull,
  Cancelled,
  PromptTooLong,
  Malformed,
  OtherVersion, // of the protocol
}

export class Report {
  version!: u8;
  stop!: i32; // a Stop
  promptTokens!: i32;
  generatedTokens!: i32;
  contextUsed!: i32;
  shifts!: i32; // how often older tokens made room
  promptNanos!: u64;
  generateNanos!: u64;
  entryToReadyNanos!: u64;
  entryToFirstTokenNanos!: u64; // the answer's first token was chosen
  tokensHash!: u64;
  logitsHash!: u64;
  bootNanos!: u64;
  entryToMemoryReadyNanos!: u64;
  entryToPackMappedNanos!: u64;
  entryToCoresUpNanos!: u64;
  entryToPromptNanos!: u64; // the evaluation of the prompt's first token began
}

/** llama.cpp's defaults. */
export function setDefaults(settings: Ptr<Settings>): void {
  settings.version = PROTOCOL_VERSION;
  settings.temperature = 0.8;
  settings.topK = 40;
  settings.topP = 0.95;
  settings.minP = 0.05;
  settings.repeatPenalty = 1;
  settings.repeatLast = 64;
  settings.seed = 42;
  settings.predict = -1;
  settings.flags = 0;
}
