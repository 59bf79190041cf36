/** The engine's logits, by guest/apps/evaluate.ts, beside the F64 reference. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packFor, withEvaluator } from '../../src/measure/guestPrograms.ts';
import { openModel, type TensorType } from '../../src/model/index.ts';
import { makeTinyGguf, type TinyModel } from '../model/tinyGguf.ts';
import { createReference, klDivergence } from './reference.ts';
import { hasStories260K, NO_STORIES, stories260K } from './sharedModels.ts';

/** What an F32 model may differ from exact arithmetic: mean KL divergence in nats. */
const F32_TOLERANCE = 1e-6;

/**
 * ‖engine - reference‖ / ‖reference‖ of the logits of random models. Weights are exact in every type: what differs is
 * f32 against f64 for float matrices, and activations in 8 bits (relative error of a value up to 1/254) for the others.
 */
const FLOAT_ERROR = 1e-5;
const QUANTIZED_ERROR = 0.03;

describe.skipIf(!hasStories260K)(`stories260K ${hasStories260K ? '' : NO_STORIES}`, () => {
  test(`mean KL divergence from the F64 reference ≤ ${F32_TOLERANCE}`, async () => {
    const { tokens, expected } = await greedyStory(300);
    const pack = await packFor(stories260K, tokens.length);
    const divergences: number[] = [];
    const tops: boolean[] = [];
    await withEvaluator(pack, 2, async (evaluator) => {
      let position = 0;
      for await (const logits of evaluator.evaluate(tokens, 0)) {
        divergences.push(klDivergence(expected[position], logits));
        tops.push(greatest(logits) === greatest(expected[position]));
        position++;
      }
    });
    expect(divergences.length).toBe(tokens.length);
    expect(divergences.reduce((a, b) => a + b) / divergences.length).toBeLessThanOrEqual(
      F32_TOLERANCE,
    );
    expect(tops.every(Boolean)).toBe(true);
  });
});

/** The reference's own story, with every seventh token replaced: likely and unlikely contexts. */
async function greedyStory(length: number) {
  const model = await openModel(stories260K.model, { tokenizer: stories260K.tokenizer });
  const reference = await createReference(model);
  await model.close();
  const tokens = new Int32Array(length);
  const expected: Float64Array[] = [];
  tokens[0] = model.tokenizer.bos ?? 0;
  for (let i = 0; i < length; i++) {
    const logits = reference.forward(tokens[i]);
    expected.push(logits);
    const next = i % 7 === 6 ? (i * 31) % model.config.vocabSize : greatest(logits);
    if (i + 1 < length) tokens[i + 1] = next;
  }
  return { tokens, expected };
}

function greatest(logits: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
}

describe('random models', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mu-evaluate-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const quantized: TensorType[] = ['Q8_0', 'Q4_0', 'Q4_1'];
  const shapes: [string, TinyModel, number][] = [
    ...(['F32', 'F16', 'BF16'] as const).map((type): [string, TinyModel, number] => [
      type,
      { type },
      FLOAT_ERROR,
    ]),
    ...quantized.map((type): [string, TinyModel, number] => [type, { type }, QUANTIZED_ERROR]),
    ['Q6_K', { type: 'Q6_K', dim: 256, hidden: 256, heads: 4, kvHeads: 2 }, QUANTIZED_ERROR],
    ['one key/value head for all', { kvHeads: 1 }, FLOAT_ERROR],
    ['a key/value head for each', { kvHeads: 4, type: 'Q4_0' }, QUANTIZED_ERROR],
    ['untied output', { tied: false }, FLOAT_ERROR],
    ['untied output, Q8_0', { tied: false, type: 'Q8_0' }, QUANTIZED_ERROR],
    ['hidden width 172', { hidden: 172 }, FLOAT_ERROR],
    ['head width 12', { dim: 48, heads: 4, kvHeads: 2, hidden: 100 }, FLOAT_ERROR],
    ['head width 8', { dim: 64, heads: 8, kvHeads: 4, hidden: 160, type: 'Q8_0' }, QUANTIZED_ERROR],
    ['vocabulary 333', { vocab: 333, tied: false }, FLOAT_ERROR],
  ];

  test.each(shapes)('%s', async (name, shape, tolerance) => {
    const path = join(folder, `${name.replace(/[^A-Za-z0-9]/g, '-')}.gguf`);
    writeFileSync(path, makeTinyGguf(shape));
    const model = await openModel(path);
    const reference = await createReference(model);
    await model.close();
    // more than two batches of 32, not a whole number of them
    const tokens = Int32Array.from({ length: 75 }, (_, i) => (i * i * 7 + 3) % 300);
    const pack = await packFor({ model: path }, tokens.length);
    let error = 0;
    let size = 0;
    await withEvaluator(pack, 2, async (evaluator) => {
      // a context before this one must leave nothing behind
      for await (const _ of evaluator.evaluate(tokens.slice().reverse(), 70));
      let position = 0;
      for await (const logits of evaluator.evaluate(tokens, 0)) {
        const exact = reference.forward(tokens[position++]);
        for (const [i, value] of exact.entries()) {
          error += (logits[i] - value) ** 2;
          size += value ** 2;
        }
      }
      expect(position).toBe(tokens.length);
    });
    expect(Math.sqrt(error / size)).toBeLessThan(tolerance);
  });
});
