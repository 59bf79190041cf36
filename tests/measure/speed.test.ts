/**
 * What `mu bench` computes from its measurements; vectors/llamaBench.json is what llama-bench
 * (Debian, build 11669) wrote for `-m 15m-q4_0.gguf -p 16 -n 8 -d 0,32 -r 1 -t 1 -o json`, the
 * model made by bench/randomModel.ts.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bytesPerToken } from '../../src/measure/bytesPerToken.ts';
import { speedRows, speedTable } from '../../src/measure/formatSpeed.ts';
import {
  findLlamaBench,
  llamaBenchArguments,
  parseLlamaBench,
} from '../../src/measure/llamaBench.ts';
import {
  listTests,
  type MemoryState,
  measureSpeed,
  placementOf,
  type RunTest,
  type Sample,
  type Series,
  summarize,
} from '../../src/measure/speed.ts';
import { median, standardDeviation } from '../../src/measure/spread.ts';
import { preparePack } from '../../src/stacks/prepare.ts';
import { makeTinyGguf, type TinyModel } from '../model/tinyGguf.ts';

const vector = readFileSync(new URL('./vectors/llamaBench.json', import.meta.url), 'utf8');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mu-speed-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('bytes that a token reads', () => {
  // dim 64, hidden 128, 4 heads and 2 for keys of 16 values each, 2 layers, vocabulary 320
  const layer = 64 * 64 + 32 * 64 + 32 * 64 + 64 * 64 + 128 * 64 + 128 * 64 + 64 * 128;
  const values = 2 * layer + 320 * 64;
  const norms = 5 * 64 * 4;
  /** A key and a value of 16 numbers in F16, two heads, two layers. */
  const position = 2 * 2 * (16 + 16) * 2;

  const cases: [string, TinyModel, number][] = [
    ['F32', { type: 'F32' }, values * 4],
    ['F32, the embedding is not the output', { type: 'F32', tied: false }, values * 4],
    ['F16', { type: 'F16' }, values * 2],
    ['Q8_0: 34 bytes for 32 values', { type: 'Q8_0' }, (values / 32) * 34],
    ['Q4_0: 18 bytes for 32 values', { type: 'Q4_0' }, (values / 32) * 18],
    ['Q4_1: 20 bytes for 32 values', { type: 'Q4_1' }, (values / 32) * 20],
    [
      'Q4_0 with an output of Q8_0',
      { type: 'Q4_0', outputType: 'Q8_0', tied: false },
      ((2 * layer) / 32) * 18 + ((320 * 64) / 32) * 34,
    ],
  ];
  test.each(cases)('%s', async (_, shape, matrices) => {
    const path = join(folder, `${cases.findIndex(([, other]) => other === shape)}.gguf`);
    writeFileSync(path, makeTinyGguf(shape));
    const { plan } = await preparePack({ model: path });
    expect(bytesPerToken(plan, 0)).toBe(matrices + norms);
    expect(bytesPerToken(plan, 10.5)).toBe(matrices + norms + 10.5 * position);
  });
});

test('the middle and the spread', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.5.6, has the formula
  expect(standardDeviation([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(Math.sqrt(32 / 7), 12);
  expect(standardDeviation([5])).toBe(0);
});

describe('llama-bench', () => {
  const rows: {
    n_prompt: number;
    n_gen: number;
    n_depth: number;
    avg_ns: number;
    avg_ts: number;
  }[] = JSON.parse(vector);

  test('tests come in its order', () => {
    const theirs = rows.map(({ n_prompt, n_gen, n_depth }) => ({
      prompt: n_prompt,
      generated: n_gen,
      depth: n_depth,
    }));
    expect(listTests([16], [8], [0, 32])).toEqual(theirs);
    expect(listTests([0], [8], [0])).toEqual([{ prompt: 0, generated: 8, depth: 0 }]);
  });

  test('its row of a test is found, and means what its own tokens per second mean', () => {
    for (const { n_prompt, n_gen, n_depth, avg_ns, avg_ts } of rows) {
      const one = { prompt: n_prompt, generated: n_gen, depth: n_depth };
      const nanos = parseLlamaBench(vector, one, 1);
      expect(nanos).toBe(avg_ns);
      const own = speedRows(
        { test: one, threads: 1, ours: [sample(nanos)], theirs: [] },
        {},
        null,
      )[0];
      expect(own.avg_ts).toBeCloseTo(avg_ts, 4);
    }
  });

  const wrong: [string, string][] = [
    ['nothing', ''],
    ['no JSON', 'error: invalid parameter for argument: -d'],
    ['no array', '{}'],
    ['another test', vector.replaceAll('"n_depth": 32', '"n_depth": 33')],
    ['no depths', vector.replaceAll(/"n_depth": \d+,/g, '')],
  ];
  test.each(wrong)('%s is refused', (_, output) => {
    const one = { prompt: 0, generated: 8, depth: 32 };
    expect(() => parseLlamaBench(output, one, 1)).toThrow(/llama-bench: expected .*"n_depth":32/);
  });

  test('it is asked for one repetition of one test', () => {
    const words = llamaBenchArguments('m.gguf', { prompt: 512, generated: 0, depth: 64 }, 2);
    expect(words.join(' ')).toBe('-m m.gguf -p 512 -n 0 -d 64 -t 2 -r 1 -ngl 0 -o json');
  });

  test('it is looked for where LLAMA_BIN says, else on PATH', () => {
    const path = join(folder, 'llama-bench');
    expect(() => findLlamaBench({ PATH: folder })).toThrow('set LLAMA_BIN');
    writeFileSync(path, '');
    expect(findLlamaBench({ PATH: `/nowhere:${folder}` })).toBe(path);
    expect(findLlamaBench({ LLAMA_BIN: folder, PATH: '' })).toBe(path);
    expect(() => findLlamaBench({ LLAMA_BIN: '/nowhere', PATH: folder })).toThrow('no llama-bench');
  });
});

const near: MemoryState = { bandwidth: 36, hop: 50 };
const apart: MemoryState = { bandwidth: 64, hop: 200 };
function sample(nanos: number, before = near, after = before): Sample {
  return { nanos, before, after };
}

test('where the processors lie', () => {
  const busy = { bandwidth: 20, hop: 40_000 };
  const single = { bandwidth: 30, hop: null };
  expect(placementOf([sample(1, near)])).toBe('near');
  expect(placementOf([sample(1, apart), sample(1, apart)])).toBe('apart');
  expect(placementOf([sample(1, near), sample(1, near, apart)])).toBe('unsteady');
  expect(placementOf([sample(1, apart, busy)])).toBe('unsteady');
  expect(placementOf([sample(1, single)])).toBe(null);
});

describe('summaries', () => {
  const tg = { prompt: 0, generated: 100, depth: 0 };
  const series = (threads: number): Series => ({
    ...{ test: tg, threads },
    // 100 tokens in 1, 2, 0.5 s beside 4, 4, 4 s
    ours: [sample(1e9, near), sample(2e9, near), sample(0.5e9, apart)],
    theirs: [sample(4e9, near), sample(4e9, near), sample(4e9, apart)],
  });

  test('one thread: all rounds', () => {
    const [only, ...others] = summarize(series(1));
    expect(others).toEqual([]);
    expect(only).toMatchObject({ placement: null, rounds: 3, ours: 100, bandwidth: 36, hop: 50 });
    expect(only.peer).toEqual({ theirs: 25, ratio: { median: 4, min: 2, max: 8 } });
  });

  test('two threads: by placement', () => {
    const [far, close] = summarize(series(2));
    expect(far).toMatchObject({ placement: 'apart', rounds: 1, ours: 200, bandwidth: 64 });
    expect(close).toMatchObject({ placement: 'near', rounds: 2, ours: 75, bandwidth: 36 });
    expect(close.peer?.ratio).toEqual({ median: 3, min: 2, max: 4 });
  });

  test('a table for people', () => {
    // 180 MB a token, 200 tokens a second, 64 GB/s: 56.25 % of what the memory gives
    const [header, far] = speedTable(summarize(series(2)), () => 180e6);
    expect(Object.fromEntries(header.map((name, i) => [name, far[i]]))).toEqual({
      'tokens/s, medians': 'tg100',
      threads: '2',
      cores: 'apart',
      rounds: '1',
      ours: '200.0',
      'llama.cpp': '25.0',
      ratio: '8.00 ×',
      'by round': '8.00 … 8.00',
      'MB/token': '180.0',
      'GB/s': '64.0',
      'of limit': '56 %',
      'hop ns': '200',
    });
  });

  test('rows for programs', () => {
    const [own, peer] = speedRows(series(2), { model_filename: 'm' }, 180e6);
    expect(own).toMatchObject({
      ...{ engine: 'muinference', model_filename: 'm', n_threads: 2 },
      ...{ n_prompt: 0, n_gen: 100, n_depth: 0, median_ts: 100, samples_ts: [100, 50, 200] },
      ...{ bytes_per_token: 180e6, share_of_limit: 0.5, ratio: { median: 4, min: 2, max: 8 } },
    });
    expect(peer).toMatchObject({ engine: 'llama.cpp', avg_ts: 25, stddev_ts: 0, avg_ns: 4e9 });
  });
});

test('the two take turns, and each begins every other round', async () => {
  const events: string[] = [];
  const run =
    (who: string): RunTest =>
    async ({ prompt }, threads) => {
      events.push(`${who} pp${prompt} t${threads}`);
      return { nanos: 1 };
    };
  const memory = {
    async measure() {
      events.push('memory');
      return near;
    },
    end() {},
  };
  const all = await measureSpeed({
    ...{ tests: listTests([16], [], [0]), threads: [1], rounds: 2, memory },
    ...{ ours: run('ours'), theirs: run('theirs') },
  });
  expect(events).toEqual([
    ...['memory', 'ours pp16 t1', 'memory', 'theirs pp16 t1', 'memory'],
    ...['memory', 'theirs pp16 t1', 'memory', 'ours pp16 t1', 'memory'],
  ]);
  expect(all).toMatchObject([{ threads: 1, ours: [{}, {}], theirs: [{}, {}] }]);
});
