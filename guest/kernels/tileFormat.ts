/**
 * How matrices lie in the pack: tiles of 16 rows, each one row of blocks. The host writes them by
 * the same numbers and sizes (`tileFormats` of src/model/formats.ts; tests/pack/shared.test.ts
 * holds the two equal). docs/pack-format.md draws the blocks.
 */
import { USES_Q4_0, USES_Q4_1, USES_Q6_K, USES_Q8_0 } from 'model';

export enum TileFormat {
  F32,
  F16,
  BF16,
  Q8_0,
  Q4_0,
  Q4_1,
  Q6_K,
}

// Facts of each, in that order

/** Columns that a block has. */
export const BLOCK_COLUMNS: FixedArray<i32> = [1, 1, 1, 32, 32, 32, 16];
/** Bytes of a block of 16 rows: scales, minimums, weights. */
const BLOCK_BYTES: FixedArray<i32> = [64, 32, 32, 32 + 512, 32 + 256, 32 + 32 + 256, 64 + 256];
/** Bits of a stored weight. */
export const WEIGHT_BITS: FixedArray<i32> = [32, 16, 16, 8, 4, 4, 6];
/**
 * Whether a weight is d · stored + m, with a minimum m of each row; else d · (stored - 2^(bits -
 * 1)).
 */
export const HAS_MINIMUM: FixedArray<bool> = [false, false, false, false, false, true, false];

/** A matrix is cut into tiles of 16 rows: one lane per row. */
export const TILE_ROWS: i32 = 16;

/** Whether any matrix is multiplied with activations in 8 bits. */
export const QUANTIZES: bool = USES_Q8_0 || USES_Q4_0 || USES_Q4_1 || USES_Q6_K;

/** Bytes of one tile. columns: whole blocks */
export function tileBytes(format: i32, columns: i32): usize {
  return usize(columns / BLOCK_COLUMNS[format]) * usize(BLOCK_BYTES[format]);
}

/** @inline */
export function blockBytes(format: i32): i32 {
  return BLOCK_BYTES[format];
}
