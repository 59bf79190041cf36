/**
 * Tokens per second, native, beside llama.cpp's llama-bench: a prompt of 512 tokens and 128 generated ones, on one and two
 * threads. The two programs take turns in every round, since the machine changes state: see machineState.ts.
 * Usage: npx tsx bench/speed.ts [MODEL.gguf] [ROUNDS]
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Guest } from '../src/console/guest.ts';
import { DEFAULT_SETTINGS, type Settings } from '../src/console/settings.ts';
import { prepareGuest } from '../src/stacks/prepare.ts';
import { startProcess } from '../src/stacks/process.ts';
import { describeMachine, describeState } from './machineState.ts';
import { findModel, repetitions } from './model.ts';
import { findPeer, runProgram } from './peer.ts';
import { formatTable, median } from './table.ts';

const PROMPT_TOKENS = 512;
const GENERATED_TOKENS = 128;
/** Text enough for 512 tokens of any vocabulary; how many it is, the guest reports. */
const TEXT = readFileSync('/usr/share/common-licenses/GPL-3', 'utf8').slice(0, 2300);
/** Something that goes on for long. */
const OPENING = 'Once upon a time';

/** Tokens per second. */
interface Speed {
  prefill: number;
  decode: number;
}

const llama = findPeer();
const model = await findModel();
const rounds = repetitions(5);
const { guest, pack } = await prepareGuest({ model, machine: 'process' });
const threadCounts = [1, 2].filter((threads) => threads <= availableParallelism());

console.log(`model: ${model}`);
console.log(`machine: ${describeMachine()}`);
console.log(`ours: ${guest.elf}, beside ${llama}/llama-bench; ${rounds} rounds, taking turns\n`);

const ours = new Map<number, Speed[]>(threadCounts.map((threads) => [threads, []]));
const theirs = new Map<number, Speed[]>(threadCounts.map((threads) => [threads, []]));
for (let round = 1; round <= rounds; round++) {
  for (const threads of threadCounts) {
    const before = await describeState();
    const our = await measureOurs(threads);
    const their = measureTheirs(threads);
    ours.get(threads)?.push(our);
    theirs.get(threads)?.push(their);
    console.log(
      `round ${round}, t${threads}: ours ${show(our)}; llama.cpp ${show(their)}; ${before}`,
    );
  }
}

const rows = threadCounts.flatMap((threads) =>
  (['prefill', 'decode'] as const).map((phase) => {
    const our = median((ours.get(threads) ?? []).map((speed) => speed[phase]));
    const their = median((theirs.get(threads) ?? []).map((speed) => speed[phase]));
    const ratios = (ours.get(threads) ?? []).map(
      (speed, round) => speed[phase] / (theirs.get(threads) ?? [])[round][phase],
    );
    return [
      `${phase} t${threads}`,
      our.toFixed(1),
      their.toFixed(1),
      `${(our / their).toFixed(2)} ×`,
      `${Math.min(...ratios).toFixed(2)} … ${Math.max(...ratios).toFixed(2)}`,
    ];
  }),
);
console.log();
console.log(
  formatTable([['tokens/s, medians', 'ours', 'llama.cpp', 'ratio', 'by round'], ...rows]),
);

/** One process: a prompt alone, then a short prompt and 128 tokens. Times are the guest's own clock. */
async function measureOurs(threads: number): Promise<Speed> {
  const running = startProcess({ elf: guest.elf, pack: pack.path, threads });
  try {
    await ask(running, OPENING, 1); // touch every weight once, as llama-bench's warm-up does
    const prefill = await ask(running, TEXT, 1);
    const decode = await ask(running, OPENING, GENERATED_TOKENS);
    return {
      prefill: (prefill.promptTokens * 1e9) / Number(prefill.promptNanos),
      decode: (decode.generatedTokens * 1e9) / Number(decode.generateNanos),
    };
  } finally {
    await running.close();
  }
}

async function ask(running: Guest, text: string, predict: number) {
  const settings: Settings = {
    ...DEFAULT_SETTINGS,
    temperature: 0,
    predict,
    raw: true,
    forget: true,
  };
  return (await running.ask(text, settings)).report;
}

function measureTheirs(threads: number): Speed {
  const sizes = ['-p', String(PROMPT_TOKENS), '-n', String(GENERATED_TOKENS)];
  const options = ['-m', model, ...sizes, '-t', String(threads), '-r', '1', '-o', 'json'];
  const { stdout } = runProgram(join(llama, 'llama-bench'), options);
  const tests: { n_prompt: number; n_gen: number; avg_ts: number }[] = JSON.parse(stdout);
  const speed = (wanted: (test: { n_prompt: number; n_gen: number }) => boolean) =>
    tests.find(wanted)?.avg_ts ?? Number.NaN;
  return {
    prefill: speed((test) => test.n_prompt > 0 && test.n_gen === 0),
    decode: speed((test) => test.n_prompt === 0 && test.n_gen > 0),
  };
}

function show({ prefill, decode }: Speed): string {
  return `${prefill.toFixed(0)} / ${decode.toFixed(1)}`;
}
