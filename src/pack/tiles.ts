/**
 * Repacks the matrices of a model file into tiles of 16 rows, the order in which the kernels
 * (guest/kernels/tiles*.ts) read them. What becomes of a block stands in the row of its weight type
 * (src/model/formats.ts).
 */
import {
  rowBytes,
  type Tensor,
  type TensorType,
  TILE_ROWS,
  tiledBytes,
  tileFormats,
  weightTypes,
} from '../model/index.ts';

/** The number of the tile format that a type has in the pack. */
export function tileNumber(type: TensorType): number {
  return tileFormats[weightTypes[type].tile].number;
}

/**
 * One tile from `rows` ≤ 16 rows of the file; rows that are missing stay zero, and so do their
 * products.
 */
export function tile(type: TensorType, raw: Uint8Array, rows: number, columns: number): Uint8Array {
  const { block, bytes, tile: format, place } = weightTypes[type];
  const blocks = columns / block;
  const out = new Uint8Array(tiledBytes(format, TILE_ROWS, columns));
  const stride = out.length / blocks;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < blocks; i++) {
      place(raw, (row * blocks + i) * bytes, out, i * stride, row);
    }
  }
  return out;
}

/** Rows that are read from the file at a time. */
const ROWS_AT_ONCE = 64 * TILE_ROWS;

/** Two matrices of as many rows, tile by tile in turn. */
export async function* tilesInTurn(one: Tensor, other: Tensor): AsyncGenerator<Uint8Array> {
  const others = tiles(other);
  for await (const tile of tiles(one)) {
    yield tile;
    yield (await others.next()).value as Uint8Array;
  }
}

/** A whole matrix, a tile at a time. */
export async function* tiles(tensor: Tensor): AsyncGenerator<Uint8Array> {
  const stride = rowBytes(tensor.type, tensor.columns);
  for (let first = 0; first < tensor.rows; first += ROWS_AT_ONCE) {
    const count = Math.min(ROWS_AT_ONCE, tensor.rows - first);
    const raw = await tensor.readRows(first, count);
    for (let row = 0; row < count; row += TILE_ROWS) {
      const rows = Math.min(TILE_ROWS, count - row);
      yield tile(
        tensor.type,
        raw.subarray(row * stride, (row + rows) * stride),
        rows,
        tensor.columns,
      );
    }
  }
}
