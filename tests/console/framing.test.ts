import fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapeText, type GuestEvent, GuestParser } from '../../src/console/framing.ts';
import { ENQ, ETX, STOP_REASONS, STX } from '../../src/console/protocol.ts';
import { decodeReport, encodeReport, type Report } from '../../src/console/report.ts';
import { encodeRequest } from '../../src/console/request.ts';
import {
  DEFAULT_SETTINGS,
  decodeSettings,
  encodeSettings,
  type Settings,
} from '../../src/console/settings.ts';

const i32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const f32 = fc.float({ noNaN: true });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

const anyReport: fc.Arbitrary<Report> = fc.record({
  promptTokens: i32,
  generatedTokens: i32,
  contextUsed: i32,
  shifts: i32,
  stop: fc.constantFrom(...STOP_REASONS.filter((reason) => reason !== 'otherVersion')),
  promptNanos: u64,
  generateNanos: u64,
  entryToReadyNanos: u64,
  entryToFirstTokenNanos: u64,
  tokensHash: u64,
  logitsHash: u64,
  bootNanos: u64,
  entryToMemoryReadyNanos: u64,
  entryToPackMappedNanos: u64,
  entryToCoresUpNanos: u64,
  entryToPromptNanos: u64,
});

const anySettings: fc.Arbitrary<Settings> = fc.record({
  temperature: f32,
  topK: i32,
  topP: f32,
  minP: f32,
  repeatPenalty: f32,
  repeatLast: i32,
  seed: u64,
  predict: i32,
  raw: fc.boolean(),
  forget: fc.boolean(),
  noStartToken: fc.boolean(),
  hashLogits: fc.boolean(),
  segments: fc.boolean(),
});

/** What a guest may send between two answers: no control characters of the protocol. */
const consoleText = fc.string().map((text) => Buffer.from(text.replace(/[^ -~]/g, '.')));

/** Cuts bytes at arbitrary places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...at, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : at[i - 1], end));
}

/** Neighbouring pieces of text as one, so that chunk boundaries do not show. */
function joined(events: readonly GuestEvent[]): GuestEvent[] {
  const list: GuestEvent[] = [];
  for (const event of events) {
    const last = list.at(-1);
    if ((event.type === 'console' || event.type === 'answer') && last?.type === event.type) {
      last.bytes = Buffer.concat([last.bytes, event.bytes]);
    } else {
      list.push('bytes' in event ? { ...event, bytes: Buffer.from(event.bytes) } : event);
    }
  }
  return list;
}

test('a guest stream is parsed the same, wherever it is cut', () => {
  const part = fc.record({ banner: consoleText, answer: fc.uint8Array(), report: anyReport });
  fc.assert(
    fc.property(fc.array(part), fc.array(fc.nat()), (parts, places) => {
      const expected: GuestEvent[] = [];
      const stream = parts.map(({ banner, answer, report }) => {
        if (banner.length > 0) expected.push({ type: 'console', bytes: banner });
        expected.push({ type: 'ready' }, { type: 'answerStart' });
        if (answer.length > 0) expected.push({ type: 'answer', bytes: Buffer.from(answer) });
        expected.push({ type: 'answerEnd' }, { type: 'report', report });
        const frame = [Uint8Array.of(ENQ, STX), escapeText(answer), Uint8Array.of(ETX)];
        return Buffer.concat([banner, ...frame, Buffer.from(`${encodeReport(report)}\n`)]);
      });
      const parser = new GuestParser();
      const events = cut(Buffer.concat(stream), places).flatMap((chunk) => parser.push(chunk));
      expect(joined(events)).toEqual(expected);
    }),
  );
});

test('any bytes at all are parsed without an exception', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (chunks) => {
      const parser = new GuestParser();
      for (const chunk of chunks) parser.push(chunk);
    }),
  );
});

test('a report line that never ends is given up', () => {
  const parser = new GuestParser();
  const events = parser.push(Buffer.concat([Uint8Array.of(STX, ETX), Buffer.alloc(5000, 0x41)]));
  expect(events.some((event) => event.type === 'malformed')).toBe(true);
});

test('escaped text holds no framing byte', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (text) => {
      const framing = escapeText(text).filter((byte) => (byte >= 1 && byte <= 5) || byte === 0x18);
      expect(framing.length).toBe(0);
    }),
  );
});

test('settings come back as they were', () => {
  fc.assert(
    fc.property(anySettings, (settings) => {
      const hex = encodeSettings(settings);
      expect(hex).toMatch(/^03[0-9a-f]{94}$/);
      expect(decodeSettings(hex)).toEqual(settings);
    }),
  );
});

test('reports come back as they were', () => {
  fc.assert(
    fc.property(anyReport, (report) => {
      const hex = encodeReport(report);
      expect(hex).toMatch(/^03[0-9a-f]{222}$/);
      expect(decodeReport(`${hex}\r`)).toEqual(report);
    }),
  );
});

test('a wrong report says what is wrong', () => {
  expect(decodeReport('0123')).toContain('expected 224');
  const report = encodeReport({ ...zeroReport(), stop: 'end' });
  const unknownStop = report.replace(/^(.{8})00/, '$163');
  expect(decodeReport(unknownStop)).toContain('unknown stop reason 99');
});

test('who speaks another version of the protocol is told so', () => {
  const remedy = 'build the guest again with this mu';
  const report = encodeReport(zeroReport());
  const later = decodeReport(report.replace(/^03/, '04'));
  expect(later).toContain('of version 4 of the console protocol, expected 3');
  expect(later).toContain(remedy);
  // Version 1 had no such byte, and 104 bytes.
  expect(decodeReport(report.slice(0, 208))).toContain(remedy);
  const refused = decodeReport(encodeReport({ ...zeroReport(), stop: 'otherVersion' }));
  expect(refused).toContain('the guest does not read version 3');
  expect(refused).toContain(remedy);
  const settings = encodeSettings(DEFAULT_SETTINGS).replace(/^03/, '01');
  expect(() => decodeSettings(settings)).toThrow('of version 1, expected 3');
});

test('a request is framed as docs/console.md says', () => {
  const settings = { ...DEFAULT_SETTINGS, temperature: 0, topK: 1, seed: 2n, raw: true };
  expect(Buffer.from(encodeRequest('a\x03é', settings)).toString('latin1')).toBe(
    '\x01' +
      '03000000' + // version
      '00000000' + // temperature 0
      '01000000' +
      '3333733f' + // 0.95
      'cdcc4c3d' + // 0.05
      '0000803f' + // 1
      '40000000' + // 64
      'ffffffff' + // predict -1
      '0200000000000000' + // seed
      '01000000' + // raw
      '00000000' +
      '\x02a\x10\x43\xc3\xa9\x03',
  );
});

function zeroReport(): Report {
  return {
    promptTokens: 0,
    generatedTokens: 0,
    contextUsed: 0,
    shifts: 0,
    stop: 'end',
    promptNanos: 0n,
    generateNanos: 0n,
    entryToReadyNanos: 0n,
    entryToFirstTokenNanos: 0n,
    tokensHash: 0n,
    logitsHash: 0n,
    bootNanos: 0n,
    entryToMemoryReadyNanos: 0n,
    entryToPackMappedNanos: 0n,
    entryToCoresUpNanos: 0n,
    entryToPromptNanos: 0n,
  };
}
