/**
 * How matrices lie in the pack: tiles of 16 rows, each one row of blocks. The host writes them by
 * the same numbers and sizes (`tileFormats` of src/model/formats.ts; tests/pack/shared.test.ts
 * holds the two equal). docs/pack-format.md draws the blocks.
 */
import { USES_4_BITS, USES_5_BITS, USES_6_BITS, USES_8_BITS } from 'model';

export enum TileFormat {
  F32,
  F16,
  BF16,
  Q8_0,
  Q4_0,
  Q4_1,
  Q5_0,
  Q5_1,
  Q4_K,
  Q5_K,
  Q6_K,
}

// Facts of each, in that order

/** Columns that a block has. */
const BLOCK_COLUMNS: FixedArray<i32> = [1, 1, 1, 32, 32, 32, 32, 32, 32, 32, 32];
/** Bytes of a block of 16 rows: scales, minimums, weights. */
export const BLOCK_BYTES: FixedArray<i32> = [64, 32, 32, 544, 288, 320, 352, 384, 288, 352, 416];
/** Whether each 256 columns have a head: halves that their blocks share, 32 bytes each. */
const HEADS: FixedArray<i32> = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1];
/** Bits of a stored weight. */
export const WEIGHT_BITS: FixedArray<i32> = [32, 16, 16, 8, 4, 4, 5, 5, 4, 5, 6];
/**
 * Halves of a row in a block, or in its head: a scale, and perhaps a minimum. A weight is scale ·
 * stored + minimum; without one, scale · (stored - 2^(bits - 1)).
 */
const HALVES: FixedArray<i32> = [0, 0, 0, 1, 1, 2, 1, 2, 2, 2, 1];

/** A matrix is cut into tiles of 16 rows: one lane per row. */
export const TILE_ROWS: i32 = 16;

/** Whether any matrix is multiplied with activations in 8 bits. */
export const QUANTIZES: bool = USES_4_BITS || USES_5_BITS || USES_6_BITS || USES_8_BITS;

/** Bytes of one tile. columns: whole blocks, whole heads */
export function tileBytes(format: i32, columns: i32): usize {
  const blocks = usize(columns / BLOCK_COLUMNS[format]) * usize(BLOCK_BYTES[format]);
  return blocks + usize(columns / 256) * usize(headBytes(format));
}

/** 0: it has no heads. @inline */
export function headBytes(format: i32): i32 {
  return HEADS[format] * HALVES[format] * 32;
}

/** @inline */
export function hasMinimum(format: i32): bool {
  return HALVES[format] == 2;
}
