/** How the commands speak: answers on stdout, everything else on stderr. */
import { styleText } from 'node:util';
import type { Report } from '../console/report.ts';

export const EXIT_OK = 0;
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;
export const EXIT_INTERRUPTED = 130;

/** Ctrl-C: what was under way has been put in order. */
export class Interrupted extends Error {}

/** One line for people. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A line that matters less; grey where stderr is a terminal. */
export function sayDim(line: string): void {
  say(process.stderr.isTTY ? styleText('dim', line, { stream: process.stderr }) : line);
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
      line = `${what} ${format(done)} of ${format(total)} (${percent} %)`;
      const now = performance.now();
      if (!isTerminal || now - shownAt < 100) return;
      shownAt = now;
      process.stderr.write(`\r\x1b[K${line}`);
    },
    end,
  };
}

/** Prints text that comes in pieces of bytes: a piece may end within a character. */
export function createTextStream(stream: NodeJS.WritableStream): {
  write: (bytes: Uint8Array) => void;
  end: () => void;
} {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return {
    write: (bytes) => {
      const text = decoder.decode(bytes, { stream: true });
      if (text !== '') stream.write(text);
    },
    end: () => {
      const rest = decoder.decode();
      if (rest !== '') stream.write(rest);
    },
  };
}

/** `mu: what, where, what to do`; the stack only with MU_DEBUG=1. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return `mu: ${String(error)}`;
  if (process.env.MU_DEBUG === '1') return `mu: ${error.stack}`;
  return `mu: ${error.message}`;
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
  if (report.stop === 'limit') parts.push('stopped at -n');
  if (report.stop === 'context') parts.push(`context full (${report.contextUsed} positions)`);
  if (report.stop === 'cancelled') parts.push('cancelled');
  return parts.join(' · ');
}

function formatRate(rate: number): string {
  return `${rate >= 100 ? rate.toFixed(0) : rate.toFixed(1)} tokens/s`;
}
