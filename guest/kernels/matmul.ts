/**
 * Matrix × activations, tile by tile, for every tile format. Each kernel is compiled only where the
 * model uses it.
 */
import {
  EMBEDDING_TYPE,
  TILE_FORMATS,
  USES_4_BITS,
  USES_5_BITS,
  USES_6_BITS,
  USES_8_BITS,
  USES_FLOATS,
} from 'model';
import { dequantizeBlocks } from './block.ts';
import { type Input, linesOf, PANEL_TOKENS } from './quantize.ts';
import { TILE_ROWS, TileFormat, tileBytes, WEIGHT_BITS } from './tileFormat.ts';
import { gemmTile5, gemvTile5 } from './tiles5.ts';
import { gemmTile8, gemvTile8 } from './tiles8.ts';
import { multiplyTileFloat, readRowFloat } from './tilesFloat.ts';

const USES_TO_5_BITS: bool = USES_4_BITS || USES_5_BITS;
const USES_TO_8_BITS: bool = USES_6_BITS || USES_8_BITS;

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
    /** @unroll */
    for (let f: i32 = 0; f < TILE_FORMATS.length; f++) {
      const constant = TILE_FORMATS[f];
      if (format != constant) continue;
      if (WEIGHT_BITS[constant] <= 8) multiplyTile(to, outStride, tile, constant, input, tokens);
      else if (USES_FLOATS) multiplyTileFloat(to, outStride, tile, constant, input, tokens);
    }
  }
}

/**
 * out[token][16] = tile · activations in 8 bits, for all tokens of the batch. format: a constant.
 * @inline
 */
function multiplyTile(
  out: Ptr<f32>,
  outStride: i32,
  tile: Ptr<u8>,
  format: i32,
  input: Ptr<Input>,
  tokens: i32,
): void {
  const isTo5Bits = WEIGHT_BITS[format] <= 5;
  if (tokens == 1) {
    if (USES_TO_5_BITS && isTo5Bits) gemvTile5(out, tile, format, input);
    if (USES_TO_8_BITS && !isTo5Bits) gemvTile8(out, tile, format, input);
    return;
  }
  for (let token: i32 = 0; token < tokens; token += PANEL_TOKENS) {
    const to = ref(out[token * outStride]);
    const lines = linesOf(input, token, tokens);
    const wanted = min(tokens - token, PANEL_TOKENS);
    const columns = input.columns;
    if (USES_TO_5_BITS && isTo5Bits) gemmTile5(to, outStride, tile, columns, format, lines, wanted);
    if (USES_TO_8_BITS && !isTo5Bits)
      gemmTile8(to, outStride, tile, columns, format, lines, PANEL_TOKENS, wanted, false);
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
