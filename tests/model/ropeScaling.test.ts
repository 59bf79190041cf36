/** What files say about changed RoPE, and the table that it becomes: beside ggml's own values. */
import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { type Model, openModel, ropeFrequencies } from '../../src/model/index.ts';
import { put, temporaryFolder } from './files.ts';
import { type GgufValue, writeGguf } from './ggufWriter.ts';
import { tinyContent } from './tinyGguf.ts';

/** Llama's keys, and those that only other families read. */
vi.mock('../../src/model/architectures.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/model/architectures.ts')>();
  const { llama } = original.architectures;
  const more = {
    fastTurns: 'rope.scaling.yarn_beta_fast',
    slowTurns: 'rope.scaling.yarn_beta_slow',
    growthDivisor: 'rope.scaling.yarn_log_multiplier',
  };
  const neutral = { ...llama.keys.neutral };
  for (const key of Object.values(more)) delete neutral[key];
  const keys = { ...llama.keys, neutral, rope: { ...llama.keys.rope, ...more } };
  return { ...original, architectures: { ...original.architectures, ramps: { ...llama, keys } } };
});

interface Case {
  name: string;
  dim: number;
  base: number;
  original: number;
  factor: number;
  type: string;
  attention: number;
  multiplier: number;
  fast: number;
  slow: number;
  divisors: boolean;
  /** Cosine and sine of each pair at position 3, times the magnitude. */
  values: number[];
}

const POSITION = 3;
const { cases }: { cases: Case[] } = JSON.parse(
  readFileSync(new URL('../vectors/rope-scaling.json', import.meta.url), 'utf8'),
);

const folder = temporaryFolder();
const f32 = (value: number): GgufValue => ({ type: 'f32', value });
const text = (value: string): GgufValue => ({ type: 'string', value });

/** A tiny model of one head with these keys of `ARCHITECTURE.rope.` and vectors. */
async function open(
  keys: Record<string, GgufValue>,
  vectors: Record<string, number[]> = {},
  shape: { dim?: number; ropeDim?: number; architecture?: string } = {},
): Promise<Model> {
  const { metadata, tensors } = tinyContent({ ...shape, heads: 1, kvHeads: 1, layers: 1 });
  const prefix = `${shape.architecture ?? 'llama'}.rope.`;
  for (const [key, value] of Object.entries(keys)) metadata[prefix + key] = value;
  const more = Object.entries(vectors).map(([name, values]) => ({
    ...{ name, type: 0, shape: [values.length] },
    bytes: new Uint8Array(Float32Array.from(values).buffer),
  }));
  const bytes = writeGguf({ metadata, tensors: [...tensors, ...more] });
  const model = await openModel(put(folder, 'rope.gguf', bytes));
  await model.close();
  return model;
}

test.each(cases)('$name: the values that ggml has', async (wanted) => {
  const { dim, base, original, factor, type, attention, multiplier, fast, slow } = wanted;
  const divisors = Array.from({ length: dim / 2 }, (_, i) => 1 + i / 8);
  const keys = {
    freq_base: f32(base),
    'scaling.type': text(type),
    'scaling.factor': f32(factor),
    'scaling.original_context_length': { type: 'u32', value: original } as const,
    'scaling.attn_factor': f32(attention),
    'scaling.yarn_log_multiplier': f32(multiplier),
    'scaling.yarn_beta_fast': f32(fast),
    'scaling.yarn_beta_slow': f32(slow),
  };
  const vectors: Record<string, number[]> = wanted.divisors
    ? { 'rope_freqs.weight': divisors }
    : {};
  const { config } = await open(keys, vectors, {
    ...{ dim: 128, ropeDim: dim, architecture: 'ramps' },
  });
  const magnitude = config.ropeScaling?.magnitude ?? 1;
  const found = ropeFrequencies(config, 128).flatMap((frequency) => [
    Math.cos(POSITION * frequency) * magnitude,
    Math.sin(POSITION * frequency) * magnitude,
  ]);
  const far = found.map((value, i) => Math.abs(value - wanted.values[i]));
  expect(far).toHaveLength(wanted.values.length);
  expect(Math.max(...far)).toBeLessThan(5e-6); // ggml multiplies f32 by f32 from pair to pair
});

test('what changes nothing is nothing', async () => {
  const ones = Array.from({ length: 32 }, () => 1);
  const keys = { 'scaling.type': text('none'), 'scaling.factor': f32(8), scale_linear: f32(8) };
  expect((await open(keys)).config).not.toHaveProperty('ropeScaling');
  expect((await open({ 'scaling.factor': f32(0) })).config).not.toHaveProperty('ropeScaling');
  const { config } = await open({}, { 'rope_freqs.weight': ones });
  expect(ropeFrequencies(config, 128)).toEqual(ropeFrequencies((await open({})).config, 128));
});

test('a factor without a type, and by its older name', async () => {
  const plain = ropeFrequencies((await open({})).config, 128);
  const [older, newer] = [{ scale_linear: f32(2) }, { 'scaling.factor': f32(2) }];
  for (const keys of [older, newer]) {
    const { config } = await open(keys);
    expect(ropeFrequencies(config, 128)).toEqual(plain.map((frequency) => frequency / 2));
  }
});

test('LongRoPE: a table for the context that there is room for', async () => {
  const names = { short: 'rope_factors_short.weight', long: 'rope_factors_long.weight' };
  const [twos, fours] = [2, 4].map((value) => Array.from({ length: 32 }, () => value));
  const { config } = await open(
    { 'scaling.original_context_length': { type: 'u32', value: 64 } },
    { [names.short]: twos, [names.long]: fours },
  );
  expect([64, 80].map((context) => ropeFrequencies(config, context)[0])).toEqual([1 / 2, 1 / 4]);
  await expect(open({}, { [names.long]: fours })).rejects.toThrow(/for long contexts alone/);
});

test('NTK: the slowest frequency is divided by alpha, the fastest is kept', async () => {
  const plain = ropeFrequencies((await open({})).config, 128);
  const grown = ropeFrequencies((await open({ 'scaling.alpha': f32(50) })).config, 128);
  expect(grown[0]).toBe(1);
  expect(plain[31] / grown[31]).toBeCloseTo(50, 8);
});

test.each<[string, Record<string, GgufValue>, Record<string, number[]>, RegExp]>([
  ['a type', { 'scaling.type': text('su') }, {}, /scaling\.type: found the string "su".*yarn/],
  ['a factor', { 'scaling.factor': f32(-1) }, {}, /scaling\.factor: found -1/],
  [
    'a tiny factor',
    { 'scaling.factor': f32(1e-30) },
    {},
    /scaling\.factor: found 1\.0+.*e-30.*half a turn/,
  ],
  ['its older name', { scale_linear: f32(0.3) }, {}, /scale_linear: found 0\.3.*at least 0\.318/],
  ['no factor', { 'scaling.factor': f32(Number.NaN) }, {}, /scaling\.factor: found NaN/],
  ['a blend', { 'scaling.yarn_ext_factor': f32(0.5) }, {}, /yarn_ext_factor: found f32 0\.5/],
  ['divisors', {}, { 'rope_freqs.weight': [1] }, /rope_freqs\.weight shape: found \[1\]/],
  ['a divisor', {}, { 'rope_freqs.weight': Array(32).fill(0) }, /rope_freqs\.weight\[0\]: found 0/],
  ['a tiny divisor', {}, { 'rope_freqs.weight': Array(32).fill(0.25) }, /\[0\]: found 0\.25/],
  ['no number', {}, { 'rope_freqs.weight': Array(32).fill(Number.NaN) }, /no number/],
])('%s that cannot be is refused', async (_, keys, vectors, message) => {
  await expect(open(keys, vectors)).rejects.toThrow(message);
});

test('keys that llama.cpp passes over in a family are refused there, unless they do nothing', async () => {
  const [fast, more] = ['scaling.yarn_beta_fast', 'scaling.yarn_log_multiplier'];
  const { config } = await open({ [fast]: f32(32), [more]: f32(0) });
  expect(config).not.toHaveProperty('ropeScaling');
  await expect(open({ [fast]: f32(1) })).rejects.toThrow(
    /yarn_beta_fast: found f32 1, expected 32/,
  );
  await expect(open({ [more]: f32(1) })).rejects.toThrow(/yarn_log_multiplier: found f32 1/);
  const shape = { architecture: 'ramps' };
  await expect(open({ [fast]: f32(0) }, {}, shape)).rejects.toThrow(/yarn_beta_fast: found 0/);
});
