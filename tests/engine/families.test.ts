/**
 * A family that is none of ours, made of parts that we have: GPT-NeoX's pairs, and biases, which
 * are reordered alike. Its models are opened twice: as they are, which the reference with such
 * pairs computes, and as the reader reorders them, which the engine does. Its rows stand here: no
 * product code knows of them.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { packFor, withEvaluator } from '../../src/measure/guestPrograms.ts';
import { type Model, openModel } from '../../src/model/index.ts';
import { makeTinyGguf, type TinyModel } from '../model/tinyGguf.ts';
import { FLOAT_ERROR, medianError } from './evaluation.ts';
import { createReference } from './reference.ts';

vi.mock('../../src/model/architectures.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/model/architectures.ts')>();
  const { llama } = original.architectures;
  const biases = { queryBias: 'attn_q.bias', keyBias: 'attn_k.bias', valueBias: 'attn_v.bias' };
  const layer = { ...llama.layer, ...biases };
  const halves = { ...llama, layer, options: { ...llama.options, ropePairs: 'halves' } } as const;
  const asTheyAre = { ...halves, options: llama.options };
  return { ...original, architectures: { ...original.architectures, halves, asTheyAre } };
});

const shapes: [string, TinyModel][] = [
  ['all of a head rotates', {}],
  ['half of a head rotates', { ropeDim: 8 }],
  ['Q8_0', { type: 'Q8_0', ropeDim: 12 }],
];

describe.each(shapes)('%s', (_, shape) => {
  let folder: string;
  let raw: Model;
  let path: string;
  const tokens = Int32Array.from({ length: 40 }, (_, i) => (i * i * 7 + 3) % 300);
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mu-families-'));
    path = join(folder, 'halves.gguf');
    writeFileSync(path, makeTinyGguf({ ...shape, architecture: 'halves' }));
    writeFileSync(`${path}.raw`, makeTinyGguf({ ...shape, architecture: 'asTheyAre' }));
    raw = await openModel(`${path}.raw`);
  });
  afterAll(async () => {
    await raw.close();
    rmSync(folder, { recursive: true });
  });

  test('the reordered model with neighbours is the model with halves', async () => {
    const model = await openModel(path);
    const reordered = await createReference(model);
    const plain = await createReference(raw, { pairs: 'halves' });
    const wrong = await createReference(raw);
    let [error, mistake, size] = [0, 0, 0];
    for (const token of tokens) {
      const expected = plain.forward(token);
      const found = reordered.forward(token);
      const other = wrong.forward(token);
      for (let i = 0; i < expected.length; i++) {
        error += (found[i] - expected[i]) ** 2;
        mistake += (other[i] - expected[i]) ** 2;
        size += expected[i] ** 2;
      }
    }
    await model.close();
    expect(Math.sqrt(error / size)).toBeLessThan(1e-12);
    expect(Math.sqrt(mistake / size)).toBeGreaterThan(1e-3);
  });

  test('the engine computes it', async () => {
    const reference = await createReference(raw, { pairs: 'halves', isRounded: true });
    const pack = await packFor({ model: path }, tokens.length);
    await withEvaluator(pack, 2, async (evaluator) => {
      expect(await medianError(evaluator, tokens, reference)).toBeLessThan(FLOAT_ERROR);
    });
  });
});
