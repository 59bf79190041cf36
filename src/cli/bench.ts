import { cpus } from 'node:os';
import { type Command, Option } from 'commander';
import { bytesPerToken } from '../measure/bytesPerToken.ts';
import {
  formatSpeed,
  leastLargePages,
  nameOf,
  speedRows,
  speedTable,
} from '../measure/formatSpeed.ts';
import { packFor } from '../measure/guestPrograms.ts';
import { createLlamaBench, findLlamaBench } from '../measure/llamaBench.ts';
import {
  listTests,
  measureSpeed,
  positionsOf,
  type Sample,
  type Series,
  summarize,
  type Test,
  tokensPerSecond,
} from '../measure/speed.ts';
import { compileBench, startMemoryProbe } from '../measure/speedGuests.ts';
import { ModelError } from '../model/index.ts';
import type { CacheType } from '../plan/sizes.ts';
import type { PackRequest, PreparedPack } from '../stacks/prepare.ts';
import { defaultThreads, MOST_THREADS } from '../stacks/process.ts';
import { ensureTools } from '../toolchain/install.ts';
import type { VariantName } from '../toolchain/variants.ts';
import { formatColumns } from './columns.ts';
import { MODEL_HELP, requestPack } from './modelOptions.ts';
import { addOptions, integer, integers, option } from './options.ts';
import { formatMemory, Interrupted, say, sayDim } from './terminal.ts';

interface Options {
  nPrompt: number[];
  nGen: number[];
  nDepth: number[];
  threads?: number[];
  repetitions: number;
  cpu?: VariantName;
  peer?: 'llama.cpp';
  tokenizer?: string;
  kv?: CacheType;
  json?: boolean;
}

const HELP = `
Options and fields are llama-bench's; lists are numbers with commas. Every test runs in a process of its own, warmed up, once a
round. A prompt's tokens go in batches, generated ones singly; depth is how many positions are filled before. The table has
medians; "cores" says whether the processors were near each other or apart while it was measured, "of limit" which part of the
memory's bandwidth, measured around each run, goes into reading what a token must read. docs/benchmarks.md says it all.
Nothing else should run on the machine. --json: an array with one object for each test, number of threads and engine.`;

export function configure(command: Command): void {
  command
    .argument('<model>', MODEL_HELP)
    .option('-p, --n-prompt <counts>', 'tokens of the prompt; 0: no such test', integers(0), [512])
    .option('-n, --n-gen <counts>', 'tokens to generate; 0: no such test', integers(0), [128])
    .option('-d, --n-depth <counts>', 'positions that are filled before', integers(0), [0, 512])
    .addOption(
      option('threads', {
        flags: '-t, --threads <counts>',
        help: 'threads (default: 1, and one per processor)',
        parse: integers(1, MOST_THREADS),
      }),
    )
    .option('-r, --repetitions <count>', 'rounds', integer(1), 5)
    .addOption(new Option('--peer <peer>', 'take turns with it').choices(['llama.cpp']))
    .addHelpText('after', HELP)
    .action(bench);
  addOptions(command, 'cpu', 'tokenizer', 'kv');
  command.addOption(option('json', { help: 'print JSON instead of a table' }));
}

async function bench(model: string, options: Options): Promise<void> {
  const tests = listTests(options.nPrompt, options.nGen, options.nDepth);
  if (tests.length === 0) throw new Error('-p 0 and -n 0: nothing is left to measure');
  const threads = options.threads ?? [...new Set([1, defaultThreads()])];
  const llamaBench = options.peer && findLlamaBench();
  ensureTools(['clang', 'lld'], say);
  const request = await requestPack(model, { tokenizer: options.tokenizer, kv: options.kv });
  const pack = await packOf(request, tests);
  if (llamaBench && pack.model.format !== 'gguf') {
    throw new Error(
      `${request.model}: --peer llama.cpp reads GGUF files, this is a llama2.c checkpoint; leave --peer out`,
    );
  }
  const series = await interruptible(async (signal) => {
    const ours = await compileBench(pack, options.cpu);
    const memory = await startMemoryProbe(Math.max(...threads));
    try {
      return await measureSpeed({
        ...{ tests, threads, rounds: options.repetitions, ours, memory, signal },
        theirs: llamaBench ? createLlamaBench(llamaBench, request.model) : undefined,
        onRound: (round, series) => sayDim(describeRound(round, options.repetitions, series)),
      });
    } finally {
      memory.end();
    }
  });
  const bytesOf = (test: Test) => bytesOfTest(pack, test);
  process.stdout.write(
    options.json
      ? `${JSON.stringify(asRows(series, request.model, bytesOf), null, 2)}\n`
      : `${asText(series, bytesOf)}\n`,
  );
}

async function packOf(request: PackRequest, tests: readonly Test[]): Promise<PreparedPack> {
  const positions = positionsOf(tests);
  try {
    return await packFor(request, positions);
  } catch (error) {
    if (!(error instanceof ModelError) || !error.message.includes('(-c)')) throw error;
    throw new Error(
      `${request.model}: -p, -n and -d need ${positions} positions, more than the model was trained for; take smaller ones`,
    );
  }
}

/** Reading memory limits the generation of tokens; a prompt's tokens share what they read. */
function bytesOfTest({ plan }: PreparedPack, test: Test): number | null {
  if (test.generated === 0) return null;
  return bytesPerToken(plan, test.depth + (test.generated + 1) / 2);
}

/** Ctrl-C ends what runs, and says so. */
async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const stop = () =>
    abort.abort(new Interrupted('bench: stopped; unfinished rounds give no table'));
  // not once: whoever starts children would then take over and exit at once
  process.on('SIGINT', stop);
  try {
    return await work(abort.signal);
  } finally {
    process.removeListener('SIGINT', stop);
  }
}

function describeRound(round: number, rounds: number, { test, threads, ours, theirs }: Series) {
  const last = ours[ours.length - 1];
  const speed = (sample: Sample) => formatSpeed(tokensPerSecond(test, sample));
  const peer = theirs.at(-1);
  const { bandwidth, hop } = last.before;
  return [
    `round ${round} of ${rounds}: ${nameOf(test)}, ${threads === 1 ? '1 thread' : `${threads} threads`}: `,
    `${speed(last)} tokens/s${peer ? `, llama.cpp ${speed(peer)}` : ''}; `,
    `memory ${bandwidth.toFixed(1)} GB/s${hop === null ? '' : `, hop ${hop.toFixed(0)} ns`}`,
  ].join('');
}

function asRows(
  all: readonly Series[],
  model: string,
  bytesOf: (test: Test) => number | null,
): Record<string, unknown>[] {
  const facts = { cpu_info: cpus()[0].model, model_filename: model };
  return all.flatMap((series) => speedRows(series, facts, bytesOf(series.test)));
}

function asText(all: readonly Series[], bytesOf: (test: Test) => number | null): string {
  const samples = all.flatMap(({ ours }) => ours);
  const peak = Math.max(...samples.map(({ resident }) => resident?.peak ?? 0));
  const table = formatColumns(speedTable(all.flatMap(summarize), bytesOf));
  const large = leastLargePages(samples);
  const pages =
    large === null ? '' : `, ${Math.round(100 * large)} % of the pack in pages of 2 MiB`;
  return `${table}\n${cpus()[0].model}; at most ${formatMemory(peak)} resident${pages}`;
}
