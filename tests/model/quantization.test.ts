import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { dequantize, openModel, type TensorType } from '../../src/model/index.ts';
import { halfAt } from '../../src/model/quantization.ts';
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
