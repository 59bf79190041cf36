import { describe, expect, it } from 'vitest';
import {
  dequantize,
  halfAt,
  rowBytes,
  type TensorType,
  TILE_ROWS,
  type TileFormatName,
  tensorTypes,
  tiledBytes,
  weightTypes,
} from '../../src/model/index.ts';
import { tile } from '../../src/pack/tiles.ts';

/** Value of one weight of a tile, read as docs/pack-format.md says. */
function weight(format: TileFormatName, bytes: Uint8Array, row: number, column: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const c = column % 32;
  const lane = (group: number) => (group >> 2) * 64 + row * 4 + (group & 3);
  switch (format) {
    case 'F32':
      return view.getFloat32((column * 16 + row) * 4, true);
    case 'F16':
      return halfAt(bytes, (column * 16 + row) * 2);
    case 'BF16':
      return new Float32Array(
        new Uint32Array([view.getUint16((column * 16 + row) * 2, true) << 16]).buffer,
      )[0];
    case 'Q8_0': {
      const block = (column >> 5) * 544;
      return halfAt(bytes, block + row * 2) * (bytes[block + 32 + lane(c)] - 128);
    }
    case 'Q4_0':
    case 'Q4_1': {
      const isQ4_1 = format === 'Q4_1';
      const block = (column >> 5) * (isQ4_1 ? 320 : 288);
      const byte = bytes[block + (isQ4_1 ? 64 : 32) + lane(c % 16)];
      const nibble = c < 16 ? byte & 15 : byte >> 4;
      const d = halfAt(bytes, block + row * 2);
      return isQ4_1 ? d * nibble + halfAt(bytes, block + 32 + row * 2) : d * (nibble - 8);
    }
    case 'Q6_K': {
      const block = (column >> 4) * 320;
      return view.getFloat32(block + row * 4, true) * (bytes[block + 64 + lane(column % 16)] - 32);
    }
  }
}

/** Deterministic bytes; exponents of halves are kept small so that every value is finite. */
function rawRows(type: TensorType, rows: number, columns: number): Uint8Array {
  const bytes = new Uint8Array(rows * rowBytes(type, columns));
  let state = 12345;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[i] = (state >>> 16) & 0xbf;
  }
  return bytes;
}

describe('tiles hold the weights that the file holds', () => {
  for (const type of tensorTypes) {
    it(`${type}, against GGML's definition of its blocks`, () => {
      const { block, tile: format } = weightTypes[type];
      const columns = block > 96 ? 2 * block : 96;
      for (const rows of [16, 5]) {
        const raw = rawRows(type, rows, columns);
        const values = new Float32Array(rows * columns);
        dequantize(type, raw, values);
        const packed = tile(type, raw, rows, columns);
        expect(packed.length).toBe(tiledBytes(format, rows, columns));
        for (let row = 0; row < TILE_ROWS; row++) {
          for (let column = 0; column < columns; column++) {
            const expected = row < rows ? values[row * columns + column] : 0;
            const found = Math.fround(weight(format, packed, row, column));
            if (Math.abs(found - expected) > Math.abs(expected) * 1e-6) {
              expect({ row, column, found }).toEqual({ row, column, found: expected });
            }
          }
        }
      }
    });
  }
});
