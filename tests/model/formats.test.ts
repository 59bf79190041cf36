import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { unsupportedTypes } from '../../src/model/formats.ts';
import {
  dequantize,
  halfAt,
  openModel,
  type TensorType,
  tensorTypes,
  tileFormats,
  weightTypes,
} from '../../src/model/index.ts';
import { put, temporaryFolder } from './files.ts';
import { makeTinyGguf } from './tinyGguf.ts';

const vectors = new URL('../vectors/dequantized-tiny.json', import.meta.url);
const { sha256 } = JSON.parse(readFileSync(vectors, 'utf8')) as { sha256: Record<string, string> };
const folder = temporaryFolder();

test.each(Object.keys(sha256) as TensorType[])('%s gives the values of llama.cpp', async (type) => {
  const shape = { type, dim: 256, hidden: 256, heads: 4, kvHeads: 2, layers: 1, seed: 7 };
  const model = await openModel(put(folder, `${type}.gguf`, makeTinyGguf(shape)));
  const values = new Float32Array(256 * 256);
  expect(dequantize(type, await model.tensors.layers[0].gate.read(), values)).toBe(values.length);
  await model.close();
  const bytes = new Uint8Array(values.buffer);
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256[type]);
});

test('every type has vectors of llama.cpp', () => {
  expect(Object.keys(sha256).sort()).toEqual([...tensorTypes].sort());
});

test('numbers stand for one type or tile format', () => {
  const types = tensorTypes.map((type) => weightTypes[type].number);
  const all = [...types, ...Object.keys(unsupportedTypes).map(Number)];
  expect(new Set(all).size).toBe(all.length);
  const formats = Object.values(tileFormats).map(({ number }) => number);
  expect(formats).toEqual(formats.map((_, i) => i)); // the guest's enum counts on
});

const quantized = tensorTypes.filter((type) => weightTypes[type].group > 1);

test.each(quantized)('%s: the values of a group are steps of one scale', async (type) => {
  const { bits, group } = weightTypes[type];
  const model = await openModel(
    put(folder, `${type}-groups.gguf`, makeTinyGguf({ type, dim: 256, hidden: 256 })),
  );
  const values = new Float32Array(256 * 64);
  dequantize(type, await model.tensors.layers[0].query.readRows(0, 64), values);
  await model.close();
  for (let start = 0; start < values.length; start += group) {
    const sorted = values.slice(start, start + group).sort();
    const steps = Array.from(sorted.subarray(1), (value, i) => value - sorted[i]);
    const least = Math.min(...steps.filter((step) => step > 0));
    // The closest two may be some steps apart
    const counts = [1, 2, 3, 4, 5, 6, 7, 8].map((part) => steps.map((s) => (s / least) * part));
    const isWhole = (x: number) => Math.abs(x - Math.round(x)) < 0.01;
    const fits = counts.some((c) => c.every(isWhole) && c.reduce((a, b) => a + b) < 2 ** bits);
    expect(fits, `values ${start} …`).toBe(true);
  }
});

test('halves at the ends of their range', () => {
  const cases: [number, number][] = [
    [0x0000, 0],
    [0x8000, -0],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
    [0x7e00, Number.NaN],
  ];
  for (const [bits, value] of cases) {
    expect(halfAt(Uint8Array.of(bits & 255, bits >> 8), 0)).toBe(value);
  }
});

test('part of a block and too small an output are refused', () => {
  expect(() => dequantize('Q8_0', new Uint8Array(33), new Float32Array(32))).toThrow(
    /whole blocks/,
  );
  expect(() => dequantize('Q8_0', new Uint8Array(34), new Float32Array(31))).toThrow(/room/);
});
