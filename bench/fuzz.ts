/**
 * Damaged and forged files for the readers of models, a million for each and more: each becomes a
 * model that is what the file's bytes say (tests/model/fuzz/compare.ts), or is refused in one line;
 * within 2 s of a processor, and without allocating more than 1.5 times the file and 4 MiB.
 * Usage: npx tsx bench/fuzz.ts [--reader gguf|split|llama2c]… [--count N] [--from N] [--json]
 *   --reader  default: all, one after the other
 *   --count   inputs for each (1,000,000)
 *   --from    number of the first input: with --count 1, one that was found to be wrong again
 * Each reader runs in a process of its own with 512 MiB of heap; one that says nothing for a minute
 * hangs, and is ended. Exit code 1 where anything is wrong with any input.
 */
import { fork } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createFuzzer, type ReaderName } from '../tests/model/fuzz/readers.ts';
import { formatTable } from './table.ts';

const READERS: ReaderName[] = ['gguf', 'split', 'llama2c'];
const REPORT_EVERY = 1_000;
const SILENCE = 60_000; // milliseconds
const MOST_FINDINGS = 20;

/** What a reader's process says now and then, and at its end. */
interface Tally {
  inputs: number;
  accepted: number;
  /** Field → how many inputs were refused for it. */
  refused: Record<string, number>;
  /** `number: what is wrong`. */
  findings: string[];
  /** The most of one input. */
  milliseconds: number;
  allocated: number;
  /** Bytes of the process when it was largest (VmHWM). */
  resident: number;
  seconds: number;
}

const { values: options } = parseArgs({
  options: {
    reader: { type: 'string', multiple: true, default: READERS },
    count: { type: 'string', default: '1000000' },
    from: { type: 'string', default: '0' },
    json: { type: 'boolean' },
    child: { type: 'boolean' },
  },
});
const unknown = options.reader.find((name) => !READERS.some((reader) => reader === name));
if (unknown !== undefined)
  throw new Error(`--reader: expected ${READERS.join(', ')}, got ${unknown}`);
const readers = options.reader as ReaderName[];
const [count, from] = [Number(options.count), Number(options.from)];
if (!(Number.isInteger(count) && count > 0)) throw new Error('--count: expected a whole number');
if (!(Number.isInteger(from) && from >= 0)) throw new Error('--from: expected a whole number');

if (options.child) await fuzz(readers[0]);
else await watchAll();

function emptyTally(): Tally {
  return {
    ...{ inputs: 0, accepted: 0, refused: {}, findings: [] },
    ...{ milliseconds: 0, allocated: 0, resident: 0, seconds: 0 },
  };
}

/** The reader's process. */
async function fuzz(reader: ReaderName): Promise<void> {
  const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const folder = mkdtempSync(join(base, 'mu-fuzz-'));
  const start = performance.now();
  const tally = emptyTally();
  try {
    const open = createFuzzer(reader, folder);
    for (let index = from; index < from + count; index++) {
      try {
        const { refused, milliseconds, allocated } = await open(index);
        if (refused === undefined) tally.accepted++;
        else tally.refused[refused] = (tally.refused[refused] ?? 0) + 1;
        tally.milliseconds = Math.max(tally.milliseconds, milliseconds);
        tally.allocated = Math.max(tally.allocated, allocated);
      } catch (error) {
        tally.findings.push(`${index}: ${(error as Error).stack ?? error}`);
      }
      tally.inputs++;
      const isLast = index === from + count - 1 || tally.findings.length === MOST_FINDINGS;
      if (tally.inputs % REPORT_EVERY === 0 || isLast) {
        tally.seconds = (performance.now() - start) / 1000;
        tally.resident = process.resourceUsage().maxRSS * 1024;
        process.send?.(tally);
      }
      if (isLast) break;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
    process.disconnect();
  }
}

async function watchAll(): Promise<void> {
  const all: [ReaderName, Tally][] = [];
  for (const reader of readers) all.push([reader, await watch(reader)]);
  if (options.json) console.log(JSON.stringify(Object.fromEntries(all), undefined, 1));
  else print(all);
  process.exitCode = all.every(([, { findings }]) => findings.length === 0) ? 0 : 1;
}

/** Runs the reader's process to its end; that it ended too early, or hangs, is a finding too. */
function watch(reader: ReaderName): Promise<Tally> {
  const args = ['--child', '--reader', reader, '--count', `${count}`, '--from', `${from}`];
  const child = fork(fileURLToPath(import.meta.url), args, {
    execArgv: [...process.execArgv, '--max-old-space-size=512'],
  });
  let last: Tally | undefined;
  let problem = '';
  const silence = () => {
    problem = `no input was done in ${SILENCE / 1000} s: one hangs`;
    child.kill('SIGKILL');
  };
  let timer = setTimeout(silence, SILENCE);
  return new Promise((resolve) => {
    child.on('message', (tally: Tally) => {
      for (const finding of tally.findings.slice(last?.findings.length ?? 0)) {
        process.stderr.write(`wrong: ${reader} ${finding}\n`);
      }
      last = tally;
      clearTimeout(timer);
      timer = setTimeout(silence, SILENCE);
      if (tally.inputs % (50 * REPORT_EVERY) === 0) {
        process.stderr.write(`${reader}: ${describe(tally)}\n`);
      }
    });
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      const tally = last ?? emptyTally();
      if (code !== 0) problem ||= `its process ended with ${code ?? signal}`;
      const place = `${from + tally.inputs} or one of the ${REPORT_EVERY} from there on`;
      if (problem !== '') tally.findings.push(`${place}: ${problem}`);
      resolve(tally);
    });
  });
}

function describe({ inputs, accepted, findings, seconds }: Tally): string {
  return `${inputs} inputs, ${accepted} taken, ${findings.length} wrong, ${Math.round(seconds)} s`;
}

function print(all: readonly [ReaderName, Tally][]): void {
  const head = [
    'reader',
    'inputs',
    'taken',
    'wrong',
    'slowest',
    'most allocated',
    'process',
    'time',
  ];
  const rows = all.map(([reader, tally]) => [
    reader,
    `${tally.inputs}`,
    `${tally.accepted}`,
    `${tally.findings.length}`,
    `${tally.milliseconds.toFixed(0)} ms`,
    `${(tally.allocated / 2 ** 20).toFixed(1)} MiB`,
    `${(tally.resident / 2 ** 20).toFixed(0)} MiB`,
    `${tally.seconds.toFixed(0)} s`,
  ]);
  console.log(formatTable([head, ...rows]));
  for (const [reader, { refused, findings }] of all) {
    const reasons = Object.entries(refused).sort(([, a], [, b]) => b - a);
    console.log(`\n${reader}: what was refused`);
    for (const [field, times] of reasons.slice(0, 20))
      console.log(`${String(times).padStart(8)}  ${field}`);
    const rest = reasons.slice(20).reduce((sum, [, times]) => sum + times, 0);
    if (rest > 0) console.log(`${String(rest).padStart(8)}  ${reasons.length - 20} others`);
    for (const finding of findings) console.log(`wrong: ${finding}`);
  }
}
