/** Why an answer ended, by its number in the report. */
export const STOP_REASONS = [
  'end', // the model's end token
  'limit', // --predict
  'context', // the context is full
  'cancelled',
  'promptTooLong', // nothing was generated
  'malformedRequest',
] as const;
export type StopReason = (typeof STOP_REASONS)[number];

/** What the guest measured about one answer. Times in nanoseconds of the guest's clock. */
export interface Report {
  promptTokens: number;
  generatedTokens: number;
  contextUsed: number;
  stop: StopReason;
  promptNanos: bigint;
  generateNanos: bigint;
  entryToReadyNanos: bigint;
  /** The answer's first token was chosen. */
  entryToFirstTokenNanos: bigint;
  /** FNV-1a over every token id and, where the settings ask for it, every logits vector. */
  tokensHash: bigint;
  logitsHash: bigint;
  /** Reset to entry, where the machine can tell; else 0. */
  bootNanos: bigint;
  /** What the machine's start had reached when (guest/machine/README.md). */
  entryToMemoryReadyNanos: bigint;
  entryToPackMappedNanos: bigint;
  entryToCoresUpNanos: bigint;
  /** The evaluation of the prompt's first token began. */
  entryToPromptNanos: bigint;
}

const BYTES = 104;

/** docs/console.md, `Report`: 104 bytes, little endian, in hexadecimal. */
export function encodeReport(report: Report): string {
  const bytes = Buffer.alloc(BYTES);
  bytes.writeInt32LE(report.promptTokens, 0);
  bytes.writeInt32LE(report.generatedTokens, 4);
  bytes.writeInt32LE(report.contextUsed, 8);
  bytes.writeInt32LE(STOP_REASONS.indexOf(report.stop), 12);
  bytes.writeBigUInt64LE(report.promptNanos, 16);
  bytes.writeBigUInt64LE(report.generateNanos, 24);
  bytes.writeBigUInt64LE(report.entryToReadyNanos, 32);
  bytes.writeBigUInt64LE(report.entryToFirstTokenNanos, 40);
  bytes.writeBigUInt64LE(report.tokensHash, 48);
  bytes.writeBigUInt64LE(report.logitsHash, 56);
  bytes.writeBigUInt64LE(report.bootNanos, 64);
  bytes.writeBigUInt64LE(report.entryToMemoryReadyNanos, 72);
  bytes.writeBigUInt64LE(report.entryToPackMappedNanos, 80);
  bytes.writeBigUInt64LE(report.entryToCoresUpNanos, 88);
  bytes.writeBigUInt64LE(report.entryToPromptNanos, 96);
  return bytes.toString('hex');
}

/** The report of a line from the guest, or what is wrong with the line. */
export function decodeReport(line: string): Report | string {
  const hex = line.trim();
  if (!/^[0-9a-fA-F]*$/.test(hex) || hex.length !== 2 * BYTES) {
    return `report: expected ${2 * BYTES} hexadecimal digits, got ${hex.length}: "${hex.slice(0, 40)}"`;
  }
  const bytes = Buffer.from(hex, 'hex');
  const stop = STOP_REASONS[bytes.readInt32LE(12)];
  if (!stop) return `report: unknown stop reason ${bytes.readInt32LE(12)}`;
  return {
    promptTokens: bytes.readInt32LE(0),
    generatedTokens: bytes.readInt32LE(4),
    contextUsed: bytes.readInt32LE(8),
    stop,
    promptNanos: bytes.readBigUInt64LE(16),
    generateNanos: bytes.readBigUInt64LE(24),
    entryToReadyNanos: bytes.readBigUInt64LE(32),
    entryToFirstTokenNanos: bytes.readBigUInt64LE(40),
    tokensHash: bytes.readBigUInt64LE(48),
    logitsHash: bytes.readBigUInt64LE(56),
    bootNanos: bytes.readBigUInt64LE(64),
    entryToMemoryReadyNanos: bytes.readBigUInt64LE(72),
    entryToPackMappedNanos: bytes.readBigUInt64LE(80),
    entryToCoresUpNanos: bytes.readBigUInt64LE(88),
    entryToPromptNanos: bytes.readBigUInt64LE(96),
  };
}
