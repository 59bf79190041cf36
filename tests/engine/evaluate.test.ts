/** The engine's logits, by guest/apps/evaluate.ts, beside the F64 reference. */
import { describe, expect, test } from 'vitest';
import { packFor, withEvaluator } from '../../src/measure/guestPrograms.ts';
import { openModel } from '../../src/model/index.ts';
import { createReference, klDivergence } from './reference.ts';
import { hasStories260K, NO_STORIES, stories260K } from './sharedModels.ts';

/** What an F32 model may differ from exact arithmetic: mean KL divergence in nats. */
const F32_TOLERANCE = 1e-6;

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
