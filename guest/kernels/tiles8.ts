/**
 * 8-bit matrices (GGML's Q8_0 and Q6_K): tiles of 16 rows. Weights are stored with a bias that
 * makes them unsigned.
 *
 *   Q8_0 block, 32 columns   bytes 0-31   f16[16]     d: scale of each row
 *                            then 512     u8[8][64]   vector j: byte 4·r + c is row r,
 *                                                     column 4j + c, plus 128
 *   Q6_K block, 16 columns   bytes 0-63   f32[16]     scale of each row (GGML's d · scales[i],
 *                                                     exact in f32)
 *                            then 256     u8[4][64]   likewise, plus 32
 *
 * weight = scale · (byte - bias)
 *
 * Instructions for 32 columns of Q8_0 (512 products a token) with one token (GEMV), and with a
 * panel of eight: avx512vnni 30, 149; avx2 152, 890; portable 226, 1405.
 */
import { dot6, dot8, dot8Gemv } from 'dots';
import { isPrefetchOn, prefetchAhead } from './prefetch.ts';
import { type Activations, type Input, linesOf, PANEL_TOKENS } from './quantize.ts';
import { BLOCK_COLUMNS, blockBytes, WEIGHT_BITS } from './tileFormat.ts';

/**
 * out[token][16] = tile · activations, for all tokens of the batch. tile: one row of blocks.
 * @inline
 */
export function multiplyTile8(
  out: Ptr<f32>,
  outStride: i32,
  tile: Ptr<u8>,
  format: i32,
  input: Ptr<Input>,
  tokens: i32,
): void {
  const columns = input.columns;
  if (tokens == 1) {
    const lines = linesOf(input, 0, 1);
    if (isPrefetchOn()) gemmTile8(out, outStride, tile, columns, format, lines, 1, 1, true);
    else gemmTile8(out, outStride, tile, columns, format, lines, 1, 1, false);
    return;
  }
  for (let token: i32 = 0; token < tokens; token += PANEL_TOKENS) {
    const to = ref(out[token * outStride]);
    const lines = linesOf(input, token, tokens);
    const wanted = min(tokens - token, PANEL_TOKENS);
    gemmTile8(to, outStride, tile, columns, format, lines, PANEL_TOKENS, wanted, false);
  }
}

/**
 * The same for `count` tokens, a panel or one alone, whose sums stay in registers; the results of
 * the first `wanted` are stored. @inline
 */
function gemmTile8(
  out: Ptr<f32>,
  outStride: i32,
  tile: Ptr<u8>,
  columns: i32,
  format: i32,
  lines: Ptr<Activations>,
  count: i32,
  wanted: i32,
  prefetches: bool,
): void {
  const sums = zeroed<FixedArray<f32x16, typeof PANEL_TOKENS>>();
  const weights = zeroed<FixedArray<u8x64, 8>>();
  let at = tile;
  let line = lines;
  for (let i: i32 = 0; i < columns / 32; i++) {
    if (prefetches) prefetchAhead(at, lineBytes(format));
    /** @unroll */
    for (let j: i32 = 0; j < 8; j++) weights[j] = u8x64.load(ref(at[vectorAt(j, format)]), 0);
    /** @unroll */
    for (let t: i32 = 0; t < count; t++) {
      const x = ref(line[t]);
      const low = dotGroup(ref(weights[0]), x, 0, format, count);
      const high = dotGroup(ref(weights[4]), x, 1, format, count);
      const lowSum = f32x16.scale(f32x16.convert(low), x.scales[0]);
      const highSum = f32x16.scale(f32x16.convert(high), x.scales[1]);
      if (isSixBit(format)) {
        const scales = changetype<Ptr<f32>>(at);
        const next = blockBytes(format) / 4;
        sums[t] = f32x16.add(sums[t], f32x16.mul(lowSum, f32x16.load(scales, 0)));
        sums[t] = f32x16.add(sums[t], f32x16.mul(highSum, f32x16.load(scales, next)));
      } else {
        const scale = f32x16.loadF16(changetype<Ptr<u16>>(at));
        sums[t] = f32x16.add(sums[t], f32x16.mul(f32x16.add(lowSum, highSum), scale));
      }
    }
    at = ref(at[lineBytes(format)]);
    line = ref(line[count]);
  }
  /** @unroll */
  for (let t: i32 = 0; t < count; t++) {
    if (t < wanted) f32x16.store(out, t * outStride, sums[t]);
  }
}

/** @inline */
function isSixBit(format: i32): bool {
  return WEIGHT_BITS[format] == 6;
}

/** Bytes of 32 columns: what a line of activations is multiplied with. @inline */
function lineBytes(format: i32): i32 {
  return (32 / BLOCK_COLUMNS[format]) * blockBytes(format);
}

/** Where vector j of 32 columns begins, in bytes. @inline */
function vectorAt(j: i32, format: i32): i32 {
  const perBlock = BLOCK_COLUMNS[format] / 4;
  const scaleBytes = isSixBit(format) ? 64 : 32;
  return (j / perBlock) * blockBytes(format) + scaleBytes + (j % perBlock) * 64;
}

/**
 * Σ over 16 columns of (byte - bias) · quant, exact. count: tokens that share the weights. @inline
 */
function dotGroup(
  weights: Ptr<u8x64>,
  x: Ptr<Activations>,
  group: i32,
  format: i32,
  count: i32,
): i32x16 {
  if (isSixBit(format)) return dot6(x.bias4[group] * 4, weights, x, group);
  return count == 1 ? dot8Gemv(weights, x, group) : dot8(weights, x, group);
}

/** out[columns] = one row of the matrix, as numbers. lane: row within the tile. */
export function dequantizeRow8(
  out: Ptr<f32>,
  tile: Ptr<u8>,
  columns: i32,
  lane: i32,
  format: i32,
): void {
  let at = tile;
  for (let i: i32 = 0; i < columns / 32; i++) {
    for (let c: i32 = 0; c < 32; c++) {
      const stored = i32(at[vectorAt(c / 4, format) + lane * 4 + (c % 4)]);
      if (isSixBit(format)) {
        const scales = changetype<Ptr<f32>>(ref(at[(c / 16) * blockBytes(format)]));
        out[i * 32 + c] = scales[lane] * f32(stored - 32);
      } else {
        const scale = f32x16.lane(f32x16.loadF16(ref(changetype<Ptr<u16>>(at)[lane])), 0);
        out[i * 32 + c] = scale * f32(stored - 128);
      }
    }
    at = ref(at[lineBytes(format)]);
  }
}
