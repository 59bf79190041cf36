/**
 * Whether greedy answers are those that llama.cpp's logits of the same weights in F32 call for:
 * the tokens of our answer one by one, each beside the most probable one there. Where two are
 * nearly as probable, 8-bit activations may decide: the table has each such place with its margin.
 * The first prompt is also answered by an image booted in QEMU, which must say what the process
 * says; a large model is slow there.
 * Usage: npx tsx bench/greedy.ts [MODEL.gguf] [TOKENS]
 * Exit code 1 where a token is less probable by more than MOST, or the image answers otherwise.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { encodeText, packFor, withEvaluator } from '../src/measure/guestPrograms.ts';
import { openModel } from '../src/model/index.ts';
import { cacheFolder, PROJECT_ROOT } from '../src/toolchain/cache.ts';
import { killChild, startChild } from '../src/toolchain/children.ts';
import { describeMachine } from './machineState.ts';
import { findModel, repetitions } from './model.ts';
import { dequantized, findPeer, runProgram } from './peer.ts';
import { formatTable } from './table.ts';

const PROMPTS = [
  'The capital of France is',
  'Once upon a time there was a',
  'Water boils at',
  'def fibonacci(n):',
];
/** What our token's log-probability may fall short of the best one's, in nats. */
const MOST = 0.5;
const CONTEXT = 256;

interface Place {
  at: number;
  ours: string;
  theirs: string;
  /** ln p of theirs - ln p of ours, by llama.cpp. */
  margin: number;
}

const llama = findPeer();
const model = await findModel();
const count = repetitions(60);
mkdirSync(join(cacheFolder(), 'bench'), { recursive: true });
const folder = mkdtempSync(join(cacheFolder(), 'bench/greedy-'));
console.log(`model: ${model}, ${count} tokens after each prompt`);
console.log(`machine: ${describeMachine()}; llama.cpp on the weights in F32, nothing rounded\n`);
try {
  process.exitCode = (await run()) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function run(): Promise<boolean> {
  const { tokenizer, close } = await openModel(model);
  await close();
  const piece = (token: number) =>
    JSON.stringify(Buffer.from(tokenizer.pieces[token], 'latin1').toString('utf8'));
  const server = await startServer();
  let isFine = true;
  try {
    for (const prompt of PROMPTS) {
      const start = [...(await encodeText({ model }, Buffer.from(prompt)))];
      const answer = await greedyTokens(start);
      const places: Place[] = [];
      for (const [at, token] of answer.entries()) {
        const best = await server.mostProbable([...start, ...answer.slice(0, at)]);
        if (best[0].id === token) continue;
        const found = best.find(({ id }) => id === token)?.logprob ?? Number.NEGATIVE_INFINITY;
        const margin = best[0].logprob - found;
        places.push({ at, ours: piece(token), theirs: piece(best[0].id), margin });
      }
      const worst = Math.max(0, ...places.map(({ margin }) => margin));
      const same = answer.length - places.length;
      console.log(`${JSON.stringify(prompt)}: ${same} of ${answer.length} are the most probable`);
      const rows = places.map(({ at, ours, theirs, margin }) => [
        ...[String(at), ours, theirs, margin.toFixed(4)],
      ]);
      if (rows.length > 0) console.log(formatTable([['', 'ours', 'theirs', 'margin'], ...rows]));
      console.log();
      isFine &&= worst <= MOST;
    }
  } finally {
    server.stop();
  }
  const isSaid = isSaidByBoth(PROMPTS[0]);
  console.log(`the image booted in QEMU says ${isSaid ? 'the same' : 'something else'}`);
  return isFine && isSaid;
}

/** What the engine finds most probable, one after the other, from its logits. */
async function greedyTokens(start: readonly number[]): Promise<number[]> {
  const pack = await packFor({ model }, CONTEXT);
  return withEvaluator(pack, 2, async (evaluator) => {
    const tokens = [...start];
    for (let i = 0; i < count; i++) {
      for await (const logits of evaluator.evaluate(Int32Array.from(tokens), tokens.length - 1)) {
        tokens.push(logits.reduce((best, x, id) => (x > logits[best] ? id : best), 0));
      }
    }
    return tokens.slice(start.length);
  });
}

/** `mu run` and `mu boot` give the same text. */
function isSaidByBoth(prompt: string): boolean {
  const mu = join(PROJECT_ROOT, 'mu');
  const image = join(folder, 'image');
  if (!existsSync(image)) {
    runProgram(mu, ['build', model, '--stack', 'unikernel', '-c', String(CONTEXT), '-o', image]);
  }
  const ask = ['-p', prompt, '-n', String(count), '--temp', '0', '--raw'];
  const run = runProgram(mu, ['run', model, '-c', String(CONTEXT), ...ask]);
  return run.stdout === runProgram(mu, ['boot', image, ...ask]).stdout;
}

/** llama-server on the model in F32. */
async function startServer() {
  const port = 20_000 + (process.pid % 20_000);
  const exact = ['-fa', 'off', '-ctk', 'f32', '-ctv', 'f32'];
  const args = [
    '-m',
    dequantized(model),
    '--port',
    String(port),
    '-c',
    String(CONTEXT),
    '-np',
    '1',
    ...exact,
  ];
  const child = startChild(join(llama, 'llama-server'), args);
  child.stdin.on('error', () => {});
  child.stdout.resume();
  const address = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    const isUp = await fetch(`${address}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) break;
    if (tries > 240) throw new Error('llama-server: expected it to be ready within two minutes');
    await new Promise((done) => setTimeout(done, 500));
  }
  return {
    /** The most probable next tokens, best first. */
    async mostProbable(prompt: number[]): Promise<{ id: number; logprob: number }[]> {
      const body = JSON.stringify({ prompt, n_predict: 1, n_probs: 20, temperature: 0 });
      const answer = await fetch(`${address}/completion`, { method: 'POST', body });
      const found = (await answer.json()) as {
        completion_probabilities: { top_logprobs: { id: number; logprob: number }[] }[];
      };
      return found.completion_probabilities[0].top_logprobs;
    },
    stop: () => killChild(child),
  };
}
