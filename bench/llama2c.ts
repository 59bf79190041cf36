/**
 * Tokens per second of a llama2.c checkpoint beside llama2.c itself, in turn: greedy text from an
 * empty prompt, sampling and output included on both sides. RUN is its run.c as compiled by
 * `gcc -Ofast -march=native -fopenmp run.c -lm -o RUN`.
 * Usage: npx tsx bench/llama2c.ts RUN MODEL.bin TOKENIZER.bin [ROUNDS]
 */
import { spawnSync } from 'node:child_process';
import { DEFAULT_SETTINGS } from '../src/console/settings.ts';
import { prepareGuest } from '../src/stacks/prepare.ts';
import { defaultThreads, startProcess } from '../src/stacks/process.ts';
import { describeMachine } from './machineState.ts';
import { figureAfter } from './peer.ts';
import { formatTable, median } from './table.ts';

const TOKENS = 200;

const [run, model, tokenizer, rounds = '7'] = process.argv.slice(2);
if (!tokenizer) throw new Error('usage: npx tsx bench/llama2c.ts RUN MODEL.bin TOKENIZER.bin');
const { guest, pack } = await prepareGuest({ model, tokenizer, machine: 'process' });
console.log(`model: ${model}; ${TOKENS} tokens; medians of ${rounds} rounds, taking turns`);
console.log(`machine: ${describeMachine()}\n`);

const rows: string[][] = [];
for (const threads of new Set([1, defaultThreads()])) {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 1; round <= Number(rounds); round++) {
    ours.push(await measureOurs(threads));
    theirs.push(measureTheirs(threads));
  }
  const ratios = ours.map((speed, round) => speed / theirs[round]);
  const spread = `${Math.min(...ratios).toFixed(2)} … ${Math.max(...ratios).toFixed(2)}`;
  const medians = [ours, theirs].map((speeds) => median(speeds).toFixed(0));
  rows.push([`t${threads}`, ...medians, `${median(ratios).toFixed(2)} ×`, spread]);
}
console.log(formatTable([['tokens/s', 'ours', 'llama2.c', 'ratio', 'by round'], ...rows]));

/** The second answer of a process: the first touches every weight once, as run.c's loading does. */
async function measureOurs(threads: number): Promise<number> {
  const running = startProcess({ elf: guest.elf, pack: pack.path, threads });
  const settings = { ...DEFAULT_SETTINGS, temperature: 0, predict: TOKENS, forget: true };
  try {
    await running.ask('', settings);
    const { report } = await running.ask('', settings);
    return (report.generatedTokens * 1e9) / Number(report.promptNanos + report.generateNanos);
  } finally {
    await running.close();
  }
}

function measureTheirs(threads: number): number {
  const env = { ...process.env, OMP_NUM_THREADS: String(threads) };
  const args = [model, '-z', tokenizer, '-t', '0', '-n', String(TOKENS)];
  const { stderr, status } = spawnSync(run, args, { encoding: 'utf8', env });
  if (status !== 0) throw new Error(`${run}: ${stderr}`);
  return figureAfter(stderr, /achieved tok\/s:/);
}
