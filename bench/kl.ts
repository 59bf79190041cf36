/**
 * What 8-bit activations cost, and keys and values in 8 bits: KL divergence, same top token and
 * perplexity of SmolLM2 in Q4_1 against the logits of the same weights in F32, ours and
 * llama.cpp's own, in one run on one text. Of a model in F32 it is keys and values alone.
 * Usage: npx tsx bench/kl.ts [MODEL.gguf]
 */
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, PROJECT_ROOT } from '../src/toolchain/cache.ts';
import { describeMachine } from './machineState.ts';
import { findModel } from './model.ts';
import { dequantized, figureAfter, findPeer, runProgram } from './peer.ts';
import { formatTable } from './table.ts';

const TEXT = '/usr/share/common-licenses/GPL-3';
const CONTEXT = '512';
const CHUNKS = '12';
/** Keys and values in 8 bits: options of llama-perplexity, and ours. */
const THEIR_8_BITS = ['-ctk', 'q8_0', '-ctv', 'q8_0', '-fa', 'on'];
const OUR_8_BITS = ['--kv', 'q8'];
/** The least that counts as a result: tokens scored. */
const LEAST_TOKENS = 3000;

interface Figures {
  ppl: number;
  kld: number;
  maxKld: number;
  sameTop: number;
}

const llama = findPeer();
const model = await findModel();
mkdirSync(join(cacheFolder(), 'bench'), { recursive: true });
const scratch = mkdtempSync(join(cacheFolder(), 'bench/kl-'));
try {
  process.exitCode = run() ? 0 : 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function run(): boolean {
  console.log(`text: ${TEXT} (${statSync(TEXT).size} bytes), ${CHUNKS} chunks of ${CONTEXT}`);
  console.log(`model: ${model}`);
  console.log(`machine: ${describeMachine()}`);
  const base = join(scratch, 'base.kld');
  const basePpl = timed("llama.cpp, F32: the base's logits", () => writeBase(base));
  const theirs = timed('llama.cpp, the model itself', () => measureTheirs(base));
  const { tokens, ...ours } = timed('ours', () => measureOurs(base));
  const their8 = timed('llama.cpp, q8_0 cache', () => measureTheirs(base, THEIR_8_BITS));
  const our8 = timed('ours, --kv q8', () => measureOurs(base, OUR_8_BITS));
  console.log();
  console.log(
    formatTable([
      ['', 'mean KLD', 'max KLD', 'same top', 'perplexity', 'from base'],
      ['llama.cpp F32 (base)', '', '', '', basePpl.toFixed(4), ''],
      ['llama.cpp', ...cells(theirs, basePpl)],
      ['ours', ...cells(ours, basePpl)],
      ['llama.cpp, q8_0 cache', ...cells(their8, basePpl)],
      ['ours, --kv q8', ...cells(our8, basePpl)],
    ]),
  );
  console.log(`${tokens} tokens scored\n`);
  return [
    check(`mean KLD ≤ llama.cpp's own`, ours.kld <= theirs.kld),
    check(`and with keys and values in 8 bits`, our8.kld <= their8.kld),
    check(`same top ≥ llama.cpp's own - 0.5 points`, ours.sameTop >= theirs.sameTop - 0.5),
    check(`perplexity within 0.5 % of llama.cpp's own`, isNear(ours.ppl, theirs.ppl)),
    check(`perplexity within 0.5 % of the base's`, isNear(ours.ppl, basePpl)),
    check(`tokens scored ≥ ${LEAST_TOKENS}`, tokens >= LEAST_TOKENS),
  ].every(Boolean);
}

function writeBase(base: string): number {
  const cut = ['-f', TEXT, '-c', CONTEXT, '--chunks', CHUNKS];
  const options = ['-m', dequantized(model), ...cut, '--kl-divergence-base', base];
  const { stdout, stderr } = runProgram(join(llama, 'llama-perplexity'), options);
  return figureAfter(stdout + stderr, /Final estimate: PPL =/);
}

function measureTheirs(base: string, more: readonly string[] = []): Figures {
  const against = ['--kl-divergence', '--kl-divergence-base', base];
  const options = ['-m', model, '-c', CONTEXT, ...against, ...more];
  let output = '';
  // Its log thread now and then loses the end of the output, though the exit code is 0.
  for (let attempt = 0; attempt < 3 && !output.includes('Same top p:'); attempt++) {
    const { stdout, stderr } = runProgram(join(llama, 'llama-perplexity'), options);
    output = stdout + stderr;
  }
  return {
    ppl: figureAfter(output, /Mean PPL\(Q\)\s*:/),
    kld: figureAfter(output, /Mean\s+KLD:/),
    maxKld: figureAfter(output, /Maximum KLD:/),
    sameTop: figureAfter(output, /Same top p:/),
  };
}

function measureOurs(base: string, more: readonly string[] = []): Figures & { tokens: number } {
  const options = ['perplexity', model, '-f', TEXT, '-c', CONTEXT, '--kl-divergence', '--json'];
  const { stdout } = runProgram(join(PROJECT_ROOT, 'mu'), [
    ...options,
    ...['--kl-divergence-base', base, ...more],
  ]);
  const { ppl, kld, sameTop, tokens } = JSON.parse(stdout);
  return { ppl, kld: kld.mean, maxKld: kld.max, sameTop, tokens };
}

function cells({ ppl, kld, maxKld, sameTop }: Figures, basePpl: number): string[] {
  const away = 100 * (ppl / basePpl - 1);
  return [
    kld.toFixed(6),
    maxKld.toFixed(6),
    `${sameTop.toFixed(2)} %`,
    ppl.toFixed(4),
    `${away >= 0 ? '+' : ''}${away.toFixed(2)} %`,
  ];
}

function isNear(ppl: number, other: number): boolean {
  return Math.abs(ppl / other - 1) <= 0.005;
}

function timed<T>(what: string, job: () => T): T {
  const start = performance.now();
  const result = job();
  console.log(`${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

function check(what: string, passed: boolean): boolean {
  console.log(`${passed ? 'pass' : 'FAIL'}  ${what}`);
  return passed;
}
