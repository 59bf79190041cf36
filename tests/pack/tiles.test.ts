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
  const nibbleAt = (weights: number) => {
    const byte = bytes[weights + lane(c % 16)];
    return c < 16 ? byte & 15 : byte >> 4;
  };
  const fifthAt = (weights: number) =>
    ((bytes[weights + 256 + row * 4 + (c & 3)] >> (c >> 2)) & 1) << 4;
  // Of blocks of so many bytes, without heads
  const half = (size: number, at: number) => halfAt(bytes, (column >> 5) * size + at + row * 2);
  const nibble = (size: number, at: number) => nibbleAt((column >> 5) * size + at);
  const fifth = (size: number, at: number) => fifthAt((column >> 5) * size + at);
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
      return half(288, 0) * (nibble(288, 32) - 8);
    case 'Q4_1':
      return half(320, 0) * nibble(320, 64) + half(320, 32);
    case 'Q5_0':
      return half(352, 0) * (nibble(352, 32) + fifth(352, 32) - 16);
    case 'Q5_1':
      return half(384, 0) * (nibble(384, 64) + fifth(384, 64)) + half(384, 32);
    case 'Q4_K':
    case 'Q5_K': {
      const size = format === 'Q4_K' ? 288 : 352;
      const head = (column >> 8) * (64 + 8 * size);
      const block = head + 64 + ((column >> 5) & 7) * size;
      const q = nibbleAt(block + 32) + (format === 'Q5_K' ? fifthAt(block + 32) : 0);
      const scale = halfAt(bytes, head + row * 2) * bytes[block + row];
      return scale * q + halfAt(bytes, head + 32 + row * 2) * bytes[block + 16 + row];
    }
    case 'Q6_K': {
      const head = (column >> 8) * 3360;
      const block = head + 32 + ((column >> 5) & 7) * 416;
      const pairs = bytes[block + 32 + 256 + (c >> 4) * 64 + row * 4 + (c & 3)];
      const q = nibbleAt(block + 32) + (((pairs >> (((c >> 2) & 3) * 2)) & 3) << 4);
      const scale = view.getInt8(block + (c >> 4) * 16 + row);
      return halfAt(bytes, head + row * 2) * scale * (q - 32);
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
