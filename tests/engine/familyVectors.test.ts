/**
 * The reference beside llama.cpp: the perplexity of a small model of every family
 * (makeFamilyVectors.ts wrote down what llama.cpp says). evaluate.test.ts holds the engine to the
 * reference.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cutIntoChunks, type Evaluator, measurePerplexity } from '../../src/measure/perplexity.ts';
import { loadTokenizer } from '../../src/model/hostTokenizer.ts';
import { openModel } from '../../src/model/index.ts';
import { familyModels } from '../model/familyModels.ts';
import { makeTinyGguf } from '../model/tinyGguf.ts';
import { createReference, type Reference } from './reference.ts';

interface Vectors {
  text: string;
  models: Record<string, { sha256: string; perplexity: number }>;
}
const vectors: Vectors = JSON.parse(
  readFileSync(new URL('./vectors/families.json', import.meta.url), 'utf8'),
);
const [CONTEXT, CHUNKS] = [128, 2];
/** Of the perplexity: llama.cpp's own sums are of 32-bit floats, its GELU is a table of halves. */
const TOLERANCE = 1e-4;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mu-family-vectors-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function evaluatorOf(reference: Reference, vocabulary: number): Evaluator {
  return {
    vocabulary,
    async *evaluate(tokens, first) {
      reference.reset();
      for (const [i, token] of tokens.entries()) {
        const logits = reference.forward(token);
        if (i >= first) yield Float32Array.from(logits);
      }
    },
  };
}

test.each(familyModels)('%s', async (name, shape) => {
  const bytes = makeTinyGguf(shape);
  const { sha256, perplexity } = vectors.models[name];
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
  const path = join(folder, 'model.gguf');
  writeFileSync(path, bytes);
  const model = await openModel(path);
  const { encode } = await loadTokenizer(model);
  const tokens = Int32Array.from(encode(vectors.text));
  const reference = await createReference(model);
  await model.close();
  const { addBos, bos } = model.tokenizer;
  const chunks = cutIntoChunks(tokens, CONTEXT, CHUNKS, addBos ? bos : undefined);
  const evaluator = evaluatorOf(reference, model.config.vocabSize);
  const { ppl } = await measurePerplexity(evaluator, chunks, undefined, () => {});
  expect(Math.abs(ppl / perplexity - 1)).toBeLessThan(TOLERANCE);
});
