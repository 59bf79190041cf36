/** Rows of queries and keys, brought from GPT-NeoX's pairs into neighbours. */
import { expect, test } from 'vitest';
import type { Tensor } from '../../src/model/index.ts';
import { pairNeighbours } from '../../src/model/ropePairs.ts';

/** A tensor in memory whose row (of a vector: value) n is made of bytes n. */
function counted(rows: number, columns: number): Tensor {
  const isVector = rows === 1;
  const stride = isVector ? 4 : 34;
  const all = Uint8Array.from({ length: (isVector ? columns : rows) * stride }, (_, i) =>
    Math.floor(i / stride),
  );
  return {
    name: 'counted',
    type: isVector ? 'F32' : 'Q8_0',
    ...{ rows, columns, bytes: all.length },
    read: async () => all,
    async readRows(first, count) {
      if (first < 0 || first + count > rows) throw new RangeError('outside');
      return all.slice(first * stride, (first + count) * stride);
    },
  };
}

const HEAD = 12;
/** Two heads of 12 values, of which 8 rotate: pairs (0, 4), (1, 5), (2, 6), (3, 7), and 4 more. */
const head = [0, 4, 1, 5, 2, 6, 3, 7, 8, 9, 10, 11];
const expected = [...head, ...head.map((row) => HEAD + row)];

const firsts = (bytes: Uint8Array, stride: number) =>
  Array.from({ length: bytes.length / stride }, (_, i) => bytes[i * stride]);

test('the rows of a matrix, whole and in any part', async () => {
  const tensor = pairNeighbours(counted(24, 32), HEAD, 8);
  const whole = await tensor.read();
  expect(firsts(whole, 34)).toEqual(expected);
  for (let first = 0; first < 24; first++) {
    for (let count = 0; count <= 24 - first; count++) {
      const part = whole.slice(first * 34, (first + count) * 34);
      expect(await tensor.readRows(first, count)).toEqual(part);
    }
  }
  await expect(tensor.readRows(23, 2)).rejects.toThrow(RangeError);
});

test('the values of a bias', async () => {
  const tensor = pairNeighbours(counted(1, 24), HEAD, 8);
  expect(firsts(await tensor.read(), 4)).toEqual(expected);
});
