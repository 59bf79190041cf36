import { decodeFields, encodeFields } from './fields.ts';
import { PROTOCOL_VERSION, REPORT_FIELDS, STOP_REASONS, type StopReason } from './protocol.ts';

/** What the guest measured about one answer. Times in nanoseconds of the guest's clock. */
export interface Report {
  stop: StopReason;
  promptTokens: number;
  generatedTokens: number;
  contextUsed: number;
  /** How often older tokens made room (--ctx-shift). */
  shifts: number;
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

/** docs/console.md, `Report`, in hexadecimal. */
export function encodeReport(report: Report): string {
  const stop = STOP_REASONS.indexOf(report.stop);
  return encodeFields(REPORT_FIELDS, { ...report, version: PROTOCOL_VERSION, stop });
}

const REMEDY = 'guest and mu must be of one version: build the guest again with this mu';

/** The report of a line from the guest, or what is wrong with the line. */
export function decodeReport(line: string): Report | string {
  const fields = decodeFields(REPORT_FIELDS, line.trim());
  if (typeof fields === 'string') return `report: ${fields}; ${REMEDY}`;
  const { version, stop: number, ...measured } = fields;
  if (version !== PROTOCOL_VERSION) {
    return `report: of version ${version} of the console protocol, expected ${PROTOCOL_VERSION}; ${REMEDY}`;
  }
  const stop = STOP_REASONS[number];
  if (stop === undefined) return `report: unknown stop reason ${number}`;
  if (stop === 'otherVersion') {
    return `report: the guest does not read version ${PROTOCOL_VERSION} of the console protocol; ${REMEDY}`;
  }
  return { stop, ...measured };
}
