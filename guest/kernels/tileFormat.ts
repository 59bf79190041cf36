/**
 * How matrices lie in the pack: tiles of 16 rows, each one row of blocks. The host writes them by
 * the same numbers and sizes (`tileFormats` of src/model/formats.ts; tests/pack/shared.test.ts
 * holds the two equal). docs/pack-format.md draws the blocks.
 */
import {
  USES_Q4_0,
  USES_Q4_1,
  USES_Q4_K,
  USES_Q5_0,
  USES_Q5_1,
  USES_Q5_K,
  USES_Q6_K,
  USES_Q8_0,
} from 'model';

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
/** Bytes before each 256 columns, of 16 rows: floats that their blocks share. */
export const HEAD_BYTES: FixedArray<i32> = [0, 0, 0, 0, 0, 0, 0, 0, 64, 64, 32];
/** Bits of a stored weight. */
export const WEIGHT_BITS: FixedArray<i32> = [32, 16, 16, 8, 4, 4, 5, 5, 4, 5, 6];
/**
 * Whether a weight is scale · stored + minimum; else scale · (stored - 2^(bits - 1)).
 */
export const HAS_MINIMUM: FixedArray<bool> = [
  false,
  false,
  false,
  false,
  false,
  true,
  false,
  true,
  true,
  true,
  false,
];

/** A matrix is cut into tiles of 16 rows: one lane per row. */
export const TILE_ROWS: i32 = 16;

const USES_32: bool = USES_Q8_0 || USES_Q4_0 || USES_Q4_1 || USES_Q5_0 || USES_Q5_1;
const USES_256: bool = USES_Q4_K || USES_Q5_K || USES_Q6_K;
/** Whether any matrix is multiplied with activations in 8 bits. */
export const QUANTIZES: bool = USES_32 || USES_256;

/** Bytes of one tile. columns: whole blocks, whole heads */
export function tileBytes(format: i32, columns: i32): usize {
  const blocks = usize(columns / BLOCK_COLUMNS[format]) * usize(BLOCK_BYTES[format]);
  return blocks + usize(columns / 256) * usize(HEAD_BYTES[format]);
}
