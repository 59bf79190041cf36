/**
 * What the rows of families make of a file's keys and tensors. The rules are llama.cpp's
 * (src/models, a file for each family); that what follows is computed right, its perplexities say
 * (tests/engine/familyVectors.test.ts).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Model, ModelError, openModel } from '../../src/model/index.ts';
import { familyModels } from './familyModels.ts';
import type { GgufValue } from './ggufWriter.ts';
import { makeTinyGguf, type TinyModel } from './tinyGguf.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mu-families-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function open(shape: TinyModel): Promise<Model> {
  const path = join(folder, 'tiny.gguf');
  writeFileSync(path, makeTinyGguf(shape));
  const model = await openModel(path);
  await model.close();
  return model;
}
const configOf = async (shape: TinyModel) => (await open(shape)).config;

const u32 = (value: number): GgufValue => ({ type: 'u32', value });
const f32 = (value: number): GgufValue => ({ type: 'f32', value });
const window = { 'attention.sliding_window': u32(20) };
const pattern = (value: GgufValue) => ({
  ...window,
  'attention.sliding_window_pattern': value,
});

describe('windows', () => {
  const gemma3 = { architecture: 'gemma3', layers: 7 };

  test('all but the last of six in turn, with a base of their own', async () => {
    const config = await configOf({ ...gemma3, ropeBase: 1e6, keys: window });
    expect(config.windows).toEqual([20, 20, 20, 20, 20, 0, 20]);
    expect(config.windowRope).toEqual({ ropeBase: 10000 });
  });

  test('the file may say in what turn', async () => {
    const config = await configOf({ ...gemma3, keys: pattern(u32(3)) });
    expect(config.windows).toEqual([20, 20, 0, 20, 20, 0, 20]);
  });

  const lists: GgufValue[] = [
    { type: 'bools', value: [true, false, true, true, false, false, true] },
    { type: 'i32s', value: [1, 0, 1, 1, 0, 0, 1] },
  ];
  test.each(lists)('or list the layers: $type', async (list) => {
    const config = await configOf({ ...gemma3, keys: pattern(list) });
    expect(config.windows).toEqual([20, 0, 20, 20, 0, 0, 20]);
  });

  test('too short a list is refused', async () => {
    const keys = pattern({ type: 'bools', value: [true] });
    await expect(open({ ...gemma3, keys })).rejects.toThrow(/found 1 values, expected 7/);
  });

  test('no key: Gemma 3 has none, Gemma 2 has 4,096 positions', async () => {
    expect(await configOf(gemma3)).not.toHaveProperty('windows');
    const { windows, windowRope } = await configOf({ architecture: 'gemma2', layers: 3 });
    expect(windows).toEqual([4096, 0, 4096]);
    expect(windowRope).toBeUndefined();
  });

  test('EXAONE 4 has them with 64 layers alone, and RoPE in those', async () => {
    const exaone4 = { architecture: 'exaone4', keys: window };
    expect(await configOf(exaone4)).not.toHaveProperty('windows');
    const { windows, ropeless } = await configOf({ ...exaone4, layers: 64, hidden: 32 });
    expect(windows?.slice(0, 5)).toEqual([20, 20, 20, 0, 20]);
    expect(ropeless?.slice(0, 5)).toEqual([false, false, false, true, false]);
  });

  test('Phi-3’s is passed over, as llama.cpp does', async () => {
    expect(await configOf({ architecture: 'phi3', keys: window })).not.toHaveProperty('windows');
  });

  test('Llama has none: such a key is refused', async () => {
    await expect(open({ keys: window })).rejects.toThrow(/attention.sliding_window: found u32 20/);
  });
});

describe('factors', () => {
  test('Gemma: √dim; of the 27B models, scores by another root', async () => {
    const shape = { architecture: 'gemma2', headDim: 32, hidden: 32 };
    expect((await configOf(shape)).scales).toEqual({ embedding: 8 });
    const large = await configOf({ ...shape, layers: 46 });
    expect(large.scales).toEqual({ embedding: 8, attention: 1 / Math.sqrt(64 / 4) });
  });

  test('what does nothing is left out', async () => {
    const ones = { residual_scale: f32(1), embedding_scale: f32(0), 'attention.scale': f32(0) };
    const config = await configOf({
      architecture: 'granite',
      keys: { ...ones, logit_scale: f32(1) },
    });
    expect(config).not.toHaveProperty('scales');
  });

  test('numbers out of bounds are refused', async () => {
    const keys = { logit_scale: f32(-1) };
    const opened = open({ architecture: 'granite', keys });
    await expect(opened).rejects.toThrow(ModelError);
    await expect(opened).rejects.toThrow(/granite.logit_scale: found -1/);
  });
});

test('fused matrices are rows of one', async () => {
  const { tensors } = await open({ architecture: 'phi3', kvHeads: 2 });
  const { query, key, value, gate, up } = tensors.layers[1];
  expect([query, key, value].map(({ rows }) => rows)).toEqual([64, 32, 32]);
  expect([gate, up].map(({ rows, name }) => [rows, name])).toEqual([
    [128, 'blk.1.ffn_up.weight (gate)'],
    [128, 'blk.1.ffn_up.weight (up)'],
  ]);
});

test.each(familyModels)('%s opens', async (name, shape) => {
  expect((await open(shape)).architecture).toBe(name.split(/[ ,]/)[0]);
});
