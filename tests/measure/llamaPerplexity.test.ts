/**
 * Our figures beside those that llama-perplexity printed for the same two tiny models, text and
 * options (vectors/llamaPerplexity.json has commands and versions). The logits are the F64
 * reference's.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatDivergence } from '../../src/measure/formatFigures.ts';
import { type LogitsReader, openLogitsFile } from '../../src/measure/logitsFile.ts';
import {
  cutIntoChunks,
  type Evaluator,
  measureDivergence,
  measurePerplexity,
} from '../../src/measure/perplexity.ts';
import type { PerplexityFigures } from '../../src/measure/statistics.ts';
import { openModel } from '../../src/model/index.ts';
import { createReference } from '../engine/reference.ts';
import { makeTinyGguf } from '../model/tinyGguf.ts';

const vector = JSON.parse(
  readFileSync(new URL('./vectors/llamaPerplexity.json', import.meta.url), 'utf8'),
);
const tokens = Int32Array.from(vector.tokens);
const folder = mkdtempSync(join(tmpdir(), 'mu-llama-perplexity-'));
const chunks = cutIntoChunks(tokens, vector.contextSize);
let basePerplexity: PerplexityFigures;
let base: LogitsReader;

beforeAll(async () => {
  const path = join(folder, 'base.kld');
  const evaluator = await referenceOf('base', makeTinyGguf({ seed: 1 }));
  basePerplexity = await measurePerplexity(evaluator, chunks, path, () => {});
  base = await openLogitsFile(path);
});
afterAll(async () => {
  await base.close();
  rmSync(folder, { recursive: true });
});

async function referenceOf(name: string, gguf: Uint8Array): Promise<Evaluator> {
  // llama.cpp's figures are of these very bytes
  expect(createHash('sha256').update(gguf).digest('hex')).toBe(vector.sha256[name]);
  const path = join(folder, `${name}.gguf`);
  writeFileSync(path, gguf);
  const model = await openModel(path);
  const reference = await createReference(model);
  await model.close();
  return {
    vocabulary: model.config.vocabSize,
    async *evaluate(input, first) {
      reference.reset();
      for (const [position, token] of input.entries()) {
        const logits = reference.forward(token);
        if (position >= first) yield Float32Array.from(logits);
      }
    },
  };
}

describe('llama-perplexity’s figures', () => {
  test('perplexity', () => {
    const [ppl, error] = vector.basePerplexity;
    expect(basePerplexity.ppl).toBeCloseTo(ppl, 2);
    expect(basePerplexity.pplError).toBeCloseTo(error, 3);
  });

  test('KL divergence, percentiles, token probabilities', async () => {
    const evaluator = await referenceOf('model', makeTinyGguf({ seed: 1, layers: 1 }));
    const figures = await measureDivergence(evaluator, chunks, base, () => {});
    const ours = namedNumbers(formatDivergence(figures).split('\n'));
    const theirs = namedNumbers(vector.output);
    expect([...ours.keys()]).toEqual([...theirs.keys()]);
    for (const [name, values] of theirs) {
      ours.get(name)?.forEach((value, i) => {
        const tolerance = 1e-5 * Math.abs(values[i]) + 2e-6 + (name.includes('Δp') ? 1e-3 : 0);
        expect(Math.abs(value - values[i]), `${name}: ${value}, ${values[i]}`).toBeLessThan(
          tolerance,
        );
      });
    }
  });
});

/** `Mean    KLD:   0.4869 ±   0.0112` → 'Mean KLD' → [0.4869, 0.0112] */
function namedNumbers(lines: readonly string[]): Map<string, number[]> {
  return new Map(
    lines
      .filter((line) => line.trim() !== '')
      .map((line) => {
        const [name, numbers] = line.split(/: /);
        const values = [...numbers.matchAll(/-?\d+\.\d+/g)].map(([text]) => Number(text));
        return [name.trim().replace(/\s+/g, ' '), values];
      }),
  );
}
