/** Matrix × activations, tile by tile, for every way that a matrix is stored. Each kernel is compiled only where the model uses it. */
import { USES_BF16, USES_F16, USES_F32, USES_Q4_0, USES_Q4_1, USES_Q6_K, USES_Q8_0 } from 'model';
import { MatrixType } from './matrixType.ts';
import { type Input, quantize } from './quantize.ts';

import { blockBytes4, multiplyTile4, readRow4 } from './tiles4.ts';
import { blockBytes8, multiplyTile8, readRow8 } from './tiles8.ts';
import { columnBytes, multiplyTileFloat, readRowFloat } from './tilesFloat.ts';

/** A matrix is cut into tiles of 16 rows: one lane per row. */
export const TILE_ROWS: i32 = 16;

/** Whether any matrix is multiplied with 8 bits. */
export const QUANTIZES: bool = USES_Q8_0 || USES_Q4_0 || USES_Q4_1 || USES_Q6_K;

/** Makes columns first … end-1 (multiples of 32) of a token ready for the products that follow; matrices of floats read the numbers themselves. */
export function prepare(input: Ptr<Input>, token: i32, tokens: i32, first: i32, end: i32): void {
  if (QUANTIZES) quantize(input, token, tokens, first, end);
}

/** Bytes of one tile. */
export function tileBytes(type: i32, columns: i32): usize {
  if (type <= MatrixType.BF16) return usize(columns) * usize(columnBytes(type));
  const blocks = usize(columns / 32);
  if (type == MatrixType.Q8_0) return blocks * usize(blockBytes8(false));
  if (type == MatrixType.Q6_K) return blocks * usize(blockBytes8(true));
  return blocks * usize(blockBytes4(type == MatrixType.Q4_1));
}

/**
 * out[token][row] = Σ matrix[row][column] · input[token][column] for the rows of `count` tiles and `tokens` tokens.
 * ways: how many matrices of as many rows take turns in the tiles; the results of each lie `apart` floats behind those of the one before.
 * out: f32[tokens][outStride]; input: prepared
 */
export function multiply(
  out: Ptr<f32>,
  outStride: i32,
  tiles: Ptr<u8>,
  type: i32,
  count: i32,
  ways: i32,
  apart: i32,
  input: Ptr<Input>,
  tokens: i32,
): void {
  const bytes = tileBytes(type, input.columns);
  for (let i: i32 = 0; i < count; i++) {
    const tile = ref(tiles[usize(i) * bytes]);
    const to = ref(out[(i / ways) * TILE_ROWS + (i % ways) * apart]);
    if (USES_Q4_1 && type == MatrixType.Q4_1)
      multiplyTile4(to, outStride, tile, true, input, tokens);
    if (USES_Q4_0 && type == MatrixType.Q4_0)
      multiplyTile4(to, outStride, tile, false, input, tokens);
    if (USES_Q8_0 && type == MatrixType.Q8_0)
      multiplyTile8(to, outStride, tile, false, input, tokens);
    if (USES_Q6_K && type == MatrixType.Q6_K)
      multiplyTile8(to, outStride, tile, true, input, tokens);
    if (USES_F32 && type == MatrixType.F32)
      multiplyTileFloat(to, outStride, tile, MatrixType.F32, input, tokens);
    if (USES_F16 && type == MatrixType.F16)
      multiplyTileFloat(to, outStride, tile, MatrixType.F16, input, tokens);
    if (USES_BF16 && type == MatrixType.BF16)
      multiplyTileFloat(to, outStride, tile, MatrixType.BF16, input, tokens);
  }
}

/** out[columns] = row `row` of the matrix, as numbers: an embedding. */
export function readRow(out: Ptr<f32>, matrix: Ptr<u8>, type: i32, columns: i32, row: i32): void {
  const tile = ref(matrix[usize(row / TILE_ROWS) * tileBytes(type, columns)]);
  const lane = row % TILE_ROWS;
  if (type <= MatrixType.BF16) readRowFloat(out, tile, columns, lane, type);
  else if (type == MatrixType.Q8_0) readRow8(out, tile, columns, lane, false);
  else if (type == MatrixType.Q6_K) readRow8(out, tile, columns, lane, true);
  else readRow4(out, tile, columns, lane, type == MatrixType.Q4_1);
}
