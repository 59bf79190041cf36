/** How the commands speak: answers on stdout, everything else on stderr. */
import { styleText } from 'node:util';
import type { Report } from '../console/report.ts';
import { printable } from '../model/printable.ts';

export const EXIT_OK = 0;
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;
export const EXIT_INTERRUPTED = 130;

/** Ctrl-C: what was under way has been put in order. */
export class Interrupted extends Error {}

// Whatever is printed may quote a model file, a path or an error's cause, so all of it is made
// printable here: what reaches a terminal holds no control characters but line ends, TABs and this
// project's own styles.

/** One line for people. */
export function say(line: string): void {
  process.stderr.write(`${printable(line)}\n`);
}

/** A line that matters less; grey where stderr is a terminal. */
export function sayDim(line: string): void {
  if (!process.stderr.isTTY) say(line);
  else process.stderr.write(`${styleText('dim', printable(line), { stream: process.stderr })}\n`);
}

/** What a person asked to see, on stdout. */
export function print(text: string): void {
  process.stdout.write(printable(text));
}

export function bold(text: string): string {
  return process.stdout.isTTY ? styleText('bold', printable(text)) : text;
}

/** A value as what --json prints. JSON itself lets the control characters from 7f on stand. */
export function asJson(value: unknown): string {
  const asEscape = (character: string) =>
    `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `${JSON.stringify(value, null, 2).replace(/[\x7f-\x9f]/g, asEscape)}\n`;
}

export interface Progress {
  /** what: `downloading`, `packing`, …; a new one begins a new line. format: default bytes. */
  update: (done: number, total: number, what: string, format?: (count: number) => string) => void;
  /** Leaves the line as it is. */
  end: () => void;
}

/** A line on stderr that is overwritten; without a terminal, only its last state is printed. */
export function createProgress(): Progress {
  let subject = '';
  let line = '';
  let shownAt = 0;
  const isTerminal = process.stderr.isTTY;
  const end = () => {
    if (line !== '') process.stderr.write(isTerminal ? `\r\x1b[K${line}\n` : `${line}\n`);
    line = '';
  };
  return {
    update(done, total, what, format = formatBytes) {
      if (what !== subject) end();
      subject = what;
      const percent = total > 0 ? Math.floor((100 * done) / total) : 0;
      line = printable(`${what} ${format(done)} of ${format(total)} (${percent} %)`);
      const now = performance.now();
      if (!isTerminal || now - shownAt < 100) return;
      shownAt = now;
      process.stderr.write(`\r\x1b[K${line}`);
    },
    end,
  };
}

/**
 * Prints an answer that comes in pieces of bytes: into a file or pipe byte for byte, to a terminal
 * as text that does not drive it. A piece may end within a character.
 */
export function createTextStream(stream: NodeJS.WritableStream & { isTTY?: boolean }): {
  write: (bytes: Uint8Array) => void;
  end: () => void;
} {
  if (!stream.isTTY) return { write: (bytes) => stream.write(bytes), end: () => {} };
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const show = (text: string) => {
    if (text !== '') stream.write(printable(text));
  };
  return {
    write: (bytes) => show(decoder.decode(bytes, { stream: true })),
    end: () => show(decoder.decode()),
  };
}

/** `mu: what, where, what to do`; the stack only with MU_DEBUG=1. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return `mu: ${String(error)}`;
  if (process.env.MU_DEBUG === '1') return `mu: ${error.stack}`;
  return `mu: ${error.message}`;
}

/** A path as a shell takes it for one word, and mu for no option. */
export function shellWord(path: string): string {
  const plain = path.startsWith('-') ? `./${path}` : path;
  return /^[\w./+@%:,=-]+$/.test(plain) ? plain : `'${plain.replaceAll("'", "'\\''")}'`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

/** 12.3 MiB, for memory. */
export function formatMemory(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

export function formatMilliseconds(milliseconds: number): string {
  const size = Math.abs(milliseconds);
  if (size >= 10_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${milliseconds.toFixed(size < 100 ? 1 : 0)} ms`;
}

/** Tokens per second of a phase that took so long; 0 where nothing was done. */
export function tokensPerSecond(tokens: number, nanos: bigint): number {
  return nanos > 0n ? (tokens * 1e9) / Number(nanos) : 0;
}

/** One line about an answer: how many tokens, how fast, and why it ended if not by itself. */
export function describeReport(report: Report): string {
  const prompt = tokensPerSecond(report.promptTokens, report.promptNanos);
  const generate = tokensPerSecond(report.generatedTokens, report.generateNanos);
  const parts = [
    `prompt ${report.promptTokens} tokens, ${formatRate(prompt)}`,
    `answer ${report.generatedTokens} tokens, ${formatRate(generate)}`,
  ];
  if (report.shifts > 0) parts.push(describeShifts(report.shifts));
  if (report.stop === 'limit') parts.push('stopped at -n');
  if (report.stop === 'context') parts.push(`context full (${report.contextUsed} positions)`);
  if (report.stop === 'cancelled') parts.push('cancelled');
  return parts.join(' · ');
}

function describeShifts(shifts: number): string {
  return `oldest part left out${shifts > 1 ? `, ${shifts} times` : ''}`;
}

function formatRate(rate: number): string {
  return `${rate >= 100 ? rate.toFixed(0) : rate.toFixed(1)} tokens/s`;
}
