/**
 * Biases of queries, keys and values, as Qwen2 has them, in a family that is none of ours: its
 * row stands here, and no product code knows of it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { packFor, withEvaluator } from '../../src/measure/guestPrograms.ts';
import { type Model, openModel } from '../../src/model/index.ts';
import { createPack } from '../../src/pack/index.ts';
import { planForward } from '../../src/plan/forward.ts';
import { FLOAT_ERROR, medianError } from '../engine/evaluation.ts';
import { createReference } from '../engine/reference.ts';
import { makeTinyGguf, type TinyModel } from '../model/tinyGguf.ts';

vi.mock('../../src/model/architectures.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/model/architectures.ts')>();
  const { llama } = original.architectures;
  const biases = { queryBias: 'attn_q.bias', keyBias: 'attn_k.bias', valueBias: 'attn_v.bias' };
  const biased = { ...llama, layer: { ...llama.layer, ...biases } };
  return { ...original, architectures: { ...original.architectures, biased } };
});

const shapes: [string, TinyModel][] = [
  ['F32', {}],
  ['Q8_0', { type: 'Q8_0' }],
  ['head width 12: rows are padded', { dim: 48, heads: 4, kvHeads: 2, hidden: 100 }],
];

describe.each(shapes)('%s', (_, shape) => {
  let folder: string;
  let path: string;
  let model: Model;
  const tokens = Int32Array.from({ length: 45 }, (_, i) => (i * i * 7 + 3) % 300);
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mu-biases-'));
    path = join(folder, 'biased.gguf');
    writeFileSync(path, makeTinyGguf({ ...shape, architecture: 'biased' }));
    model = await openModel(path);
  });
  afterAll(async () => {
    await model.close();
    rmSync(folder, { recursive: true });
  });

  test('are added before RoPE, and read from the pack', () => {
    const [projection] = planForward(model, 64).groups[0].steps;
    const steps = projection.operations.map(({ op }) => op).join(' ');
    expect(steps).toMatch(/matmul addBias addBias addBias rope rope storeKv$/);
    const { queryBias, keyBias, valueBias } = model.tensors.layers[0];
    const values = [queryBias, keyBias, valueBias].map((bias) => bias?.columns ?? 0);
    const bytes = values.reduce((sum, count) => sum + 4 * count, 0);
    const norm = 4 * model.config.dim;
    const matrices = projection.matrices.reduce((sum, matrix) => sum + matrix.bytes, 0);
    expect(projection.weightBytes).toBe(matrices + norm + bytes);
  });

  test('the reference hears of them', async () => {
    const biased = await createReference(model);
    const { layers } = model.tensors;
    const bare = layers.map(({ queryBias, keyBias, valueBias, ...layer }) => layer);
    const plain = await createReference({ ...model, tensors: { ...model.tensors, layers: bare } });
    const [found, other] = [biased.forward(3), plain.forward(3)];
    expect(Math.max(...found.map((value, i) => Math.abs(value - other[i])))).toBeGreaterThan(1e-3);
  });

  test('the engine computes them', async () => {
    const reference = await createReference(model, { isRounded: true });
    const pack = await packFor({ model: path }, tokens.length);
    expect(pack.constants.HAS_QKV_BIAS).toBe(true);
    await withEvaluator(pack, 2, async (evaluator) => {
      expect(await medianError(evaluator, tokens, reference)).toBeLessThan(FLOAT_ERROR);
    });
  });

  test('some, but not all of them, are refused', async () => {
    const layers = model.tensors.layers.map(({ keyBias, ...layer }) => layer);
    const broken = { ...model, tensors: { ...model.tensors, layers } };
    await expect(createPack(broken, { context: 64 })).rejects.toThrow('found 2');
  });
});
