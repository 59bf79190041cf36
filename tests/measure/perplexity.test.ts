import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLogitsFile, rowLength } from '../../src/measure/logitsFile.ts';
import {
  cutIntoChunks,
  type Evaluator,
  measureDivergence,
  measurePerplexity,
} from '../../src/measure/perplexity.ts';

const VOCABULARY = 7; // odd: rows are padded
const CONTEXT = 12;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mu-perplexity-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Logits that depend on the last two tokens and on `tilt`: any deterministic function will do. */
function toyEvaluator(tilt: number, seen: Int32Array[] = []): Evaluator {
  return {
    vocabulary: VOCABULARY,
    async *evaluate(tokens, first) {
      seen.push(tokens.slice());
      const logits = new Float32Array(VOCABULARY);
      for (let position = first; position < tokens.length; position++) {
        const [before, last] = [tokens[position - 1], tokens[position]];
        for (let i = 0; i < VOCABULARY; i++) {
          logits[i] = 3 * Math.sin(1 + before + 2 * last * i) + tilt * i;
        }
        yield logits;
      }
    },
  };
}

const text = Int32Array.from({ length: 100 }, (_, i) => (i * i + 3) % VOCABULARY);
const quiet = () => {};

describe('perplexity', () => {
  test('scores the second half of each whole chunk', async () => {
    const seen: Int32Array[] = [];
    const chunks = cutIntoChunks(text, CONTEXT);
    const figures = await measurePerplexity(toyEvaluator(0, seen), chunks, undefined, quiet);
    expect(chunks.count).toBe(8);
    expect(figures.tokens).toBe(8 * 5);
    expect(seen.map((tokens) => tokens.length)).toEqual(Array(8).fill(CONTEXT - 1));
    expect([...seen[1]]).toEqual([...text.subarray(CONTEXT, 2 * CONTEXT - 1)]);
  });

  test('a start token stands in for each chunk’s first token', async () => {
    const seen: Int32Array[] = [];
    const chunks = cutIntoChunks(text, CONTEXT, 2, 5);
    await measurePerplexity(toyEvaluator(0, seen), chunks, undefined, quiet);
    expect(seen.map((tokens) => [tokens[0], tokens[1]])).toEqual([
      [5, text[1]],
      [5, text[CONTEXT + 1]],
    ]);
  });

  test('a model that knows nothing has the vocabulary’s size as perplexity', async () => {
    const uniform: Evaluator = {
      vocabulary: VOCABULARY,
      async *evaluate(tokens, first) {
        for (let i = first; i < tokens.length; i++) yield new Float32Array(VOCABULARY);
      },
    };
    const figures = await measurePerplexity(
      uniform,
      cutIntoChunks(text, CONTEXT),
      undefined,
      quiet,
    );
    expect(figures.ppl).toBeCloseTo(VOCABULARY, 10);
    expect(figures.pplError).toBeCloseTo(0, 6);
  });

  test('a text of fewer than two chunks is refused', () => {
    expect(() => cutIntoChunks(text.subarray(0, 23), CONTEXT)).toThrow(/23 tokens.*at least 24/);
  });

  test('an evaluator that stops early is an error', async () => {
    const short: Evaluator = {
      vocabulary: VOCABULARY,
      async *evaluate() {
        yield new Float32Array(VOCABULARY);
      },
    };
    const run = measurePerplexity(short, cutIntoChunks(text, CONTEXT), undefined, quiet);
    await expect(run).rejects.toThrow('chunk 1: expected 5 vectors of logits, got 1');
  });
});

describe('a base file', () => {
  test('has llama.cpp’s header and comes back as written', async () => {
    const path = join(folder, 'base.kld');
    await measurePerplexity(toyEvaluator(0), cutIntoChunks(text, CONTEXT, 3), path, quiet);
    const bytes = readFileSync(path);
    expect(bytes.toString('latin1', 0, 8)).toBe('_logits_');
    expect([8, 12, 16, 20].map((at) => bytes.readInt32LE(at))).toEqual([12, 7, 3, text[0]]);
    expect(bytes.length).toBe(20 + 4 * 3 * CONTEXT + 2 * rowLength(VOCABULARY) * 3 * 5);
    const base = await openLogitsFile(path);
    expect([...base.tokens]).toEqual([...text.subarray(0, 36)]);
    await base.close();
  });

  test('of the model itself has no divergence, of another one has', async () => {
    const path = join(folder, 'self.kld');
    const chunks = cutIntoChunks(text, CONTEXT);
    const plain = await measurePerplexity(toyEvaluator(0), chunks, path, quiet);
    const base = await openLogitsFile(path);
    const self = await measureDivergence(toyEvaluator(0), chunks, base, quiet);
    const other = await measureDivergence(toyEvaluator(0.1), chunks, base, quiet);
    await base.close();
    expect(Math.abs(self.kld.mean)).toBeLessThan(1e-5); // what 16 bits leave
    expect(self.sameTop).toBe(100);
    expect(self.ppl).toBeCloseTo(plain.ppl, 10);
    expect(self.base.ppl).toBeCloseTo(plain.ppl, 3);
    expect(other.kld.mean).toBeGreaterThan(0.001);
    expect(other.kld.max).toBeGreaterThan(other.kld.median);
    expect(other.logRatio.mean).toBeCloseTo(Math.log(other.ppl / other.base.ppl), 10);
  });

  const spoilt: [string, (bytes: Buffer) => Buffer, RegExp][] = [
    [
      'another magic',
      (b) => b.fill('x', 0, 1),
      /not a file of log-probabilities: starts with "xlogi/,
    ],
    ['cut off', (b) => b.subarray(0, b.length - 1), /expected \d+ bytes, found \d+/],
    ['empty', (b) => b.subarray(0, 0), /ends at byte 0, expected 20/],
    ['a huge vocabulary', (b) => writeInt(b, 12, 0x7fffffff), /vocabulary \(byte 12\).*2147483647/],
    ['no context', (b) => writeInt(b, 8, 0), /context size \(byte 8\).*found 0/],
    ['negative chunks', (b) => writeInt(b, 16, -1), /-1 chunks \(byte 16\)/],
    ['a strange token', (b) => writeInt(b, 24, 7), /token 1: expected 0 … 6, found 7/],
  ];
  test.each(spoilt)('%s is refused by name', async (_, spoil, message) => {
    const path = join(folder, 'spoilt.kld');
    await measurePerplexity(toyEvaluator(0), cutIntoChunks(text, CONTEXT, 2), path, quiet);
    writeFileSync(path, spoil(readFileSync(path)));
    await expect(openLogitsFile(path)).rejects.toThrow(message);
  });
});

function writeInt(bytes: Buffer, at: number, value: number): Buffer {
  bytes.writeInt32LE(value, at);
  return bytes;
}
