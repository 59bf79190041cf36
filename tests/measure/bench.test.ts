/**
 * `mu bench` on tiny models: that the work is done which is timed. How long it takes is nobody's
 * business here.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPeer } from '../../bench/peer.ts';
import { packFor, withEvaluator } from '../../src/measure/guestPrograms.ts';
import { createLlamaBench } from '../../src/measure/llamaBench.ts';
import type { Evaluator } from '../../src/measure/perplexity.ts';
import { compileBench, startMemoryProbe } from '../../src/measure/speedGuests.ts';
import { openModel, tensorTypes } from '../../src/model/index.ts';
import { PROJECT_ROOT } from '../../src/toolchain/cache.ts';
import { LARGE_ENOUGH } from '../../src/toolchain/pageCache.ts';
import { mu } from '../cli/mu.ts';
import { hasStories260K, NO_STORIES, stories260K } from '../engine/sharedModels.ts';
import { makeTinyGguf } from '../model/tinyGguf.ts';

let folder: string;
const file = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mu-bench-'));
  writeFileSync(file('tiny.gguf'), makeTinyGguf({ type: 'Q8_0' }));
});
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * xorshift64* from splitmix64's state 1, as guest/engine/random.ts begins, as tokens below
 * `vocabulary`.
 */
function randomTokens(count: number, vocabulary: number): Int32Array {
  let state = 1n;
  const cut = (x: bigint) => BigInt.asUintN(64, x);
  return Int32Array.from({ length: count }, () => {
    state ^= state >> 12n;
    state ^= cut(state << 25n);
    state ^= state >> 27n;
    const uniform = Number(cut(state * 0x2545f4914f6cdd1dn) >> 40n) / 2 ** 24;
    return Math.trunc(Math.fround(uniform * vocabulary));
  });
}

describe('the logits after what was timed are those of the same tokens evaluated', () => {
  const tests = [
    { prompt: 70, generated: 0, depth: 0 },
    { prompt: 1, generated: 0, depth: 33 },
    { prompt: 40, generated: 0, depth: 50 },
    { prompt: 0, generated: 1, depth: 0 },
    { prompt: 0, generated: 20, depth: 0 },
    { prompt: 0, generated: 20, depth: 75 },
  ];
  test.each(tests)('%o', async (one) => {
    const count = one.prompt + one.generated + one.depth;
    const pack = await packFor({ model: file('tiny.gguf') }, count);
    const run = await compileBench(pack);
    const { logits, nanos, resident } = await run(one, 2);
    const tokens = randomTokens(count, pack.model.vocabulary);
    const lastOf = async (evaluator: Evaluator) => {
      for await (const last of evaluator.evaluate(tokens, count - 1)) return last.slice();
    };
    const expected = await withEvaluator(pack, 1, lastOf, 'portable');
    expect(logits).toEqual(expected);
    expect(nanos).toBeGreaterThan(0);
    expect(resident.peak).toBeGreaterThanOrEqual(pack.bytes); // all of the pack was read
  });
});

test('a request for no tokens, or for more than the context has, is one line', async () => {
  const pack = await packFor({ model: file('tiny.gguf') }, 128);
  const run = await compileBench(pack);
  await expect(run({ prompt: 0, generated: 0, depth: 0 }, 1)).rejects.toThrow('bench: no tokens');
  await expect(run({ prompt: 129, generated: 0, depth: 0 }, 1)).rejects.toThrow(
    'bench: more positions than CONTEXT',
  );
});

test('a pack that lies in small pages is read again, in large ones', async (context) => {
  writeFileSync(file('larger.gguf'), makeTinyGguf({ type: 'F32', vocab: 32768, dim: 128 }));
  const pack = await packFor({ model: file('larger.gguf') }, 128);
  const one = { prompt: 0, generated: 1, depth: 0 };
  const { largePages } = await (await compileBench(pack, 'portable'))(one, 1);
  context.skip((largePages ?? 0) < LARGE_ENOUGH, 'Linux keeps no files in pages of 2 MiB here');

  const bytes = readFileSync(pack.path);
  const copy = openSync(file('copy'), 'w');
  for (let at = 0; at < bytes.length; at += 16384) writeSync(copy, bytes.subarray(at, at + 16384));
  fsyncSync(copy);
  closeSync(copy);
  const copied = { ...pack, path: file('copy') };
  expect(
    (await (await compileBench(copied, 'portable'))(one, 1)).largePages,
  ).toBeGreaterThanOrEqual(LARGE_ENOUGH);
});

test('memory is read by as many cores as there are, and a line hops between two', async () => {
  const probe = await startMemoryProbe(2);
  try {
    for (const threads of [1, 2]) {
      const { bandwidth, hop } = await probe.measure(threads);
      expect(bandwidth).toBeGreaterThan(0);
      expect(hop).toBeGreaterThan(0);
    }
    await expect(probe.measure(3)).rejects.toThrow('asked for 3 threads, expected at most 2');
  } finally {
    probe.end();
  }
  const single = await startMemoryProbe(1);
  try {
    expect((await single.measure(1)).hop).toBe(null);
  } finally {
    single.end();
  }
});

test('rows for programs', async () => {
  const options = ['-p', '16', '-n', '4', '-d', '0,8', '-t', '1,2', '-r', '1', '--json'];
  const { code, stdout, stderr } = await mu(['bench', file('tiny.gguf'), ...options]);
  expect(code, stderr).toBe(0);
  const rows: Record<string, number>[] = JSON.parse(stdout);
  const named = rows.map((row) => [row.n_threads, row.n_prompt, row.n_gen, row.n_depth]);
  expect(named).toEqual([
    ...[1, 2].flatMap((threads) => [
      [threads, 16, 0, 0],
      [threads, 0, 4, 0],
      [threads, 16, 0, 8],
      [threads, 0, 4, 8],
    ]),
  ]);
  for (const row of rows) {
    const tokens = row.n_prompt + row.n_gen;
    expect(row.avg_ts * row.avg_ns).toBeCloseTo(tokens * 1e9, -4);
    expect(row.stddev_ts).toBe(0);
    expect(row.bytes_per_token === null).toBe(row.n_gen === 0);
  }
  expect(stderr).toContain('round 1 of 1: tg4 @ d8, 2 threads: ');
});

test('a table for people', async () => {
  const options = ['-p', '0', '-n', '4', '-d', '0', '-t', '1', '-r', '2'];
  const { code, stdout, stderr } = await mu(['bench', file('tiny.gguf'), ...options]);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^tokens\/s, medians +threads +cores +rounds +ours +MB\/token +GB\/s /);
  expect(stdout).toMatch(/^tg4 +1 +2 +[\d.]+ +0\.1 +[\d.]+ +\d+ %/m);
});

test('Ctrl-C ends it with one line', async () => {
  const words = ['bench', file('tiny.gguf'), '-p', '0', '-n', '4', '-d', '0', '-r', '100000'];
  const child = spawn(process.execPath, [join(PROJECT_ROOT, 'mu'), ...words], { stdio: 'pipe' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let stderr = '';
  for await (const piece of child.stderr) {
    if (!stderr.includes('round 2 of') && `${stderr}${piece}`.includes('round 2 of')) {
      child.kill('SIGINT');
    }
    stderr += piece;
  }
  expect(await ended).toBe(130);
  expect(stderr).toMatch(/^mu: bench: stopped; unfinished rounds give no table$/m);
});

const refusals: [string, string[], number, RegExp][] = [
  ['nothing to measure', ['-p', '0', '-n', '0'], 1, /^mu: -p 0 and -n 0: nothing is left/m],
  ['no number', ['-d', '0,x'], 2, /Expected whole numbers from 0, with commas between them/],
  ['a long context', ['-p', '100'], 1, /-p, -n and -d need 640 positions, more than the model was/],
  ['an unknown peer', ['--peer', 'x'], 2, /Allowed choices are llama\.cpp/],
];
test.each(refusals)('%s: one line', async (_, options, code, message) => {
  const run = await mu(['bench', file('tiny.gguf'), ...options]);
  expect(run).toMatchObject({ code, stdout: '' });
  expect(run.stderr).toMatch(message);
});

const llama = peer();
function peer(): string | null {
  try {
    return findPeer();
  } catch {
    return null;
  }
}
const NO_LLAMA = 'needs llama.cpp: set LLAMA_BIN to the folder of its programs';

describe('random models of a shape', () => {
  const randomModel = (...words: string[]) => {
    const command = ['--import', 'tsx', join(PROJECT_ROOT, 'bench/randomModel.ts'), ...words];
    return spawnSync(process.execPath, command, { cwd: PROJECT_ROOT, encoding: 'utf8' });
  };
  const make = (type: string, ...options: string[]) => {
    const path = file(`${type}.gguf`);
    const run = randomModel('256,512,2,4,2,640', type, path, ...options);
    expect(run.status, run.stderr).toBe(0);
    return path;
  };

  test.each(tensorTypes)('%s opens, and its types are what was asked for', async (type) => {
    const model = await openModel(make(type, '--output-type', 'Q8_0', '--context', '96'));
    const { config, tensors } = model;
    await model.close();
    expect(config).toMatchObject({ dim: 256, hiddenDim: 512, layers: 2, heads: 4, kvHeads: 2 });
    expect(config).toMatchObject({ vocabSize: 640, contextLength: 96, tiedEmbeddings: true });
    expect(tensors.embedding.type).toBe('Q8_0');
    const { attentionNorm, ffnNorm, ...matrices } = tensors.layers[1];
    expect(new Set(Object.values(matrices).map((matrix) => matrix.type))).toEqual(new Set([type]));
    expect([attentionNorm?.type, ffnNorm?.type]).toEqual(['F32', 'F32']);
  });

  test.skipIf(!llama)(`llama-bench takes it${llama ? '' : ` (${NO_LLAMA})`}`, async () => {
    const run = createLlamaBench(join(llama ?? '', 'llama-bench'), make('Q4_0'));
    expect((await run({ prompt: 8, generated: 0, depth: 0 }, 1)).nanos).toBeGreaterThan(0);
    expect((await run({ prompt: 0, generated: 4, depth: 16 }, 1)).nanos).toBeGreaterThan(0);
  });

  test('an impossible shape is refused', () => {
    const run = randomModel('288,768,1,6,6,640', 'Q6_K', file('no.gguf'));
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('288 columns, expected a multiple of 256, the block of Q6_K');
  });
});

test.skipIf(!llama)(`the peer that fails says why${llama ? '' : ` (${NO_LLAMA})`}`, async () => {
  const run = createLlamaBench(join(llama ?? '', 'llama-bench'), file('nothing.gguf'));
  await expect(run({ prompt: 8, generated: 0, depth: 0 }, 1)).rejects.toThrow(/failed \(exit code/);
});

test.skipIf(!llama || !hasStories260K)(
  `a llama2.c checkpoint has no such peer${llama ? '' : ` (${NO_LLAMA})`}${hasStories260K ? '' : ` ${NO_STORIES}`}`,
  async () => {
    const options = ['--tokenizer', stories260K.tokenizer, '--peer', 'llama.cpp', '-r', '1'];
    const sizes = ['-p', '16', '-n', '4', '-d', '0'];
    process.env.LLAMA_BIN = llama ?? '';
    const run = await mu(['bench', stories260K.model, ...options, ...sizes]);
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr).toMatch(
      /reads GGUF files, this is a llama2\.c checkpoint; leave --peer out/,
    );
  },
);
