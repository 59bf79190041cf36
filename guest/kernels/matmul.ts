/**
 * Matrix × activations, tile by tile, for every tile format. Each kernel is compiled only where the
 * model uses it.
 */
import {
  EMBEDDING_TYPE,
  USES_BF16,
  USES_F16,
  USES_F32,
  USES_Q4_0,
  USES_Q4_1,
  USES_Q4_K,
  USES_Q5_0,
  USES_Q5_1,
  USES_Q5_K,
  USES_Q6_K,
  USES_Q8_0,
} from 'model';
import { dequantizeBlocks } from './block.ts';
import type { Input } from './quantize.ts';
import { TILE_ROWS, TileFormat, tileBytes } from './tileFormat.ts';
import { multiplyTile5 } from './tiles5.ts';
import { multiplyTile8 } from './tiles8.ts';
import { multiplyTileFloat, readRowFloat } from './tilesFloat.ts';

/**
 * out[token][row] = Σ matrix[row][column] · input[token][column] for the rows of `count` tiles and
 * `tokens` tokens.
 *
 * interleaved: how many matrices of as many rows lie tile by tile in turn; the results of each
 * begin `apart` floats behind those of the one before. out: f32[tokens][outStride]; input:
 * quantized
 */
export function matmul(
  out: Ptr<f32>,
  outStride: i32,
  tiles: Ptr<u8>,
  format: i32,
  count: i32,
  interleaved: i32,
  apart: i32,
  input: Ptr<Input>,
  tokens: i32,
): void {
  const bytes = tileBytes(format, input.columns);
  for (let i: i32 = 0; i < count; i++) {
    const tile = ref(tiles[usize(i) * bytes]);
    const to = ref(out[(i / interleaved) * TILE_ROWS + (i % interleaved) * apart]);
    if (USES_Q4_0 && format == TileFormat.Q4_0)
      multiplyTile5(to, outStride, tile, TileFormat.Q4_0, input, tokens);
    if (USES_Q4_1 && format == TileFormat.Q4_1)
      multiplyTile5(to, outStride, tile, TileFormat.Q4_1, input, tokens);
    if (USES_Q5_0 && format == TileFormat.Q5_0)
      multiplyTile5(to, outStride, tile, TileFormat.Q5_0, input, tokens);
    if (USES_Q5_1 && format == TileFormat.Q5_1)
      multiplyTile5(to, outStride, tile, TileFormat.Q5_1, input, tokens);
    if (USES_Q4_K && format == TileFormat.Q4_K)
      multiplyTile5(to, outStride, tile, TileFormat.Q4_K, input, tokens);
    if (USES_Q5_K && format == TileFormat.Q5_K)
      multiplyTile5(to, outStride, tile, TileFormat.Q5_K, input, tokens);
    if (USES_Q8_0 && format == TileFormat.Q8_0)
      multiplyTile8(to, outStride, tile, TileFormat.Q8_0, input, tokens);
    if (USES_Q6_K && format == TileFormat.Q6_K)
      multiplyTile8(to, outStride, tile, TileFormat.Q6_K, input, tokens);
    if (USES_F32 && format == TileFormat.F32)
      multiplyTileFloat(to, outStride, tile, TileFormat.F32, input, tokens);
    if (USES_F16 && format == TileFormat.F16)
      multiplyTileFloat(to, outStride, tile, TileFormat.F16, input, tokens);
    if (USES_BF16 && format == TileFormat.BF16)
      multiplyTileFloat(to, outStride, tile, TileFormat.BF16, input, tokens);
  }
}

/** out[columns] = row `row` of the embedding, as numbers. */
export function dequantizeRow(out: Ptr<f32>, matrix: Ptr<u8>, columns: i32, row: i32): void {
  const tile = ref(matrix[usize(row / TILE_ROWS) * tileBytes(EMBEDDING_TYPE, columns)]);
  const lane = row % TILE_ROWS;
  if (IS_FLOAT) readRowFloat(out, tile, columns, lane, EMBEDDING_TYPE);
  else dequantizeBlocks(out, tile, columns, lane, EMBEDDING_TYPE);
}

/** Whether the embedding is of floats. */
const IS_FLOAT: bool = EMBEDDING_TYPE <= TileFormat.BF16;
