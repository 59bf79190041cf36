/** llama.cpp's llama-bench as a peer: the same tests, the same file, one process for each. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { killChild, startChild } from '../toolchain/children.ts';
import type { RunTest, Test } from './speed.ts';

/**
 * Path of llama-bench: in $LLAMA_BIN if that is set, else on PATH. Throws what to do where it is
 * not there.
 */
export function findLlamaBench({ LLAMA_BIN, PATH }: NodeJS.ProcessEnv = process.env): string {
  const folders = LLAMA_BIN ? [LLAMA_BIN] : (PATH ?? '').split(delimiter).filter(Boolean);
  const found = folders.map((folder) => join(folder, 'llama-bench')).find(existsSync);
  if (found) return found;
  throw new Error(
    LLAMA_BIN
      ? `LLAMA_BIN=${LLAMA_BIN}: no llama-bench in it`
      : '--peer llama.cpp: found no llama-bench on PATH; install llama.cpp, or set LLAMA_BIN to the folder of its programs',
  );
}

/** model: path of a GGUF file. */
export function createLlamaBench(command: string, model: string): RunTest {
  return async (test, threads, signal) => {
    const child = startChild(command, llamaBenchArguments(model, test, threads));
    child.stdin.end();
    const stop = () => killChild(child);
    signal?.addEventListener('abort', stop);
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    try {
      const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
      const code = await ended;
      signal?.throwIfAborted();
      if (code !== 0) {
        const last = stderr.trimEnd().split('\n').slice(-5).join('\n');
        throw new Error(
          `${command} failed (${code === null ? 'it was killed' : `exit code ${code}`})\n${last}`,
        );
      }
      return { nanos: parseLlamaBench(stdout, test, threads) };
    } finally {
      signal?.removeEventListener('abort', stop);
      killChild(child);
    }
  };
}

/** -r 1: rounds are ours, since the two take turns. */
export function llamaBenchArguments(
  model: string,
  { prompt, generated, depth }: Test,
  threads: number,
): string[] {
  const sizes = ['-p', prompt, '-n', generated, '-d', depth, '-t', threads, '-r', 1, '-ngl', 0];
  return ['-m', model, ...sizes.map(String), '-o', 'json'];
}

/**
 * Nanoseconds that the test took, from what llama-bench wrote with `-o json`. Throws if it is not
 * about this test.
 */
export function parseLlamaBench(output: string, test: Test, threads: number): number {
  const wanted = { n_prompt: test.prompt, n_gen: test.generated, n_depth: test.depth };
  const facts: Record<string, number> = { ...wanted, n_threads: threads };
  let rows: unknown;
  try {
    rows = JSON.parse(output);
  } catch {
    rows = undefined;
  }
  const row = Array.isArray(rows) ? rows.find((row) => isAbout(row, facts)) : undefined;
  if (typeof row?.avg_ns === 'number' && row.avg_ns > 0) return row.avg_ns;
  throw new Error(
    `llama-bench: expected a JSON array with a row of ${JSON.stringify(facts)} and avg_ns, found ${JSON.stringify(output.slice(0, 200))}; ` +
      'take a newer llama.cpp (depths came in April 2025)',
  );
}

function isAbout(row: unknown, facts: Record<string, number>): boolean {
  if (typeof row !== 'object' || row === null) return false;
  const values = row as Record<string, unknown>;
  return Object.entries(facts).every(([name, value]) => values[name] === value);
}
