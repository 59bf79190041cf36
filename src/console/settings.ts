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
  /** Most tokens to generate; -1: until the model ends. */
  predict: number;
  /** The text goes to the model as it is, without chat template. */
  raw: boolean;
  /** Forget the conversation first. */
  forget: boolean;
  /** No start token before the text. */
  noStartToken: boolean;
  /** Have the report carry a hash of every logits vector that a token was chosen from. */
  hashLogits: boolean;
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
};

const BYTES = 48;
const FLAG_RAW = 1;
const FLAG_FORGET = 2;
const FLAG_NO_START_TOKEN = 4;
const FLAG_HASH_LOGITS = 8;

/** docs/console.md, `Settings`: 48 bytes, little endian, in hexadecimal. */
export function encodeSettings(settings: Settings): string {
  const bytes = Buffer.alloc(BYTES);
  bytes.writeFloatLE(settings.temperature, 0);
  bytes.writeInt32LE(settings.topK, 4);
  bytes.writeFloatLE(settings.topP, 8);
  bytes.writeFloatLE(settings.minP, 12);
  bytes.writeFloatLE(settings.repeatPenalty, 16);
  bytes.writeInt32LE(settings.repeatLast, 20);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, settings.seed), 24);
  bytes.writeInt32LE(settings.predict, 32);
  const flags =
    (settings.raw ? FLAG_RAW : 0) |
    (settings.forget ? FLAG_FORGET : 0) |
    (settings.noStartToken ? FLAG_NO_START_TOKEN : 0) |
    (settings.hashLogits ? FLAG_HASH_LOGITS : 0);
  bytes.writeUInt32LE(flags, 36);
  return bytes.toString('hex');
}

/** The reverse; what a guest does with a request's settings. */
export function decodeSettings(hex: string): Settings {
  const bytes = Buffer.from(hex, 'hex');
  if (bytes.length !== BYTES || hex.length !== 2 * BYTES) {
    throw new Error(`settings: expected ${2 * BYTES} hexadecimal digits, got "${hex}"`);
  }
  const flags = bytes.readUInt32LE(36);
  return {
    temperature: bytes.readFloatLE(0),
    topK: bytes.readInt32LE(4),
    topP: bytes.readFloatLE(8),
    minP: bytes.readFloatLE(12),
    repeatPenalty: bytes.readFloatLE(16),
    repeatLast: bytes.readInt32LE(20),
    seed: bytes.readBigUInt64LE(24),
    predict: bytes.readInt32LE(32),
    raw: (flags & FLAG_RAW) !== 0,
    forget: (flags & FLAG_FORGET) !== 0,
    noStartToken: (flags & FLAG_NO_START_TOKEN) !== 0,
    hashLogits: (flags & FLAG_HASH_LOGITS) !== 0,
  };
}
