/**
 * Matrices of 6 and 8 bits (GGML's Q6_K and Q8_0): tiles of 16 rows, cut into blocks of 32 columns.
 * block.ts says what lies in a block.
 *
 * Instructions of the loop over blocks, as in tiles5.ts:
 *
 *            avx512vnni    avx2         portable
 *   Q8_0     30, 149       152, 891     226, 1405
 *   Q6_K     77, 234       198, 854     294, 1349
 */
import { dot6, dot8, dot8Gemv } from 'dots';
import { blockOf, headOf, nextBlock, scaleOf, unpack } from './block.ts';
import { isPrefetchOn, prefetchAhead } from './prefetch.ts';
import { type Activations, type Input, linesOf, type PANEL_TOKENS } from './quantize.ts';
import { BLOCK_BYTES, WEIGHT_BITS } from './tileFormat.ts';

/** out[16] = tile · activations of a token alone. @inline */
export function gemvTile8(out: Ptr<f32>, tile: Ptr<u8>, format: i32, input: Ptr<Input>): void {
  const lines = linesOf(input, 0, 1);
  if (isPrefetchOn()) gemmTile8(out, 0, tile, input.columns, format, lines, 1, 1, true);
  else gemmTile8(out, 0, tile, input.columns, format, lines, 1, 1, false);
}

/**
 * out[token][16] = the same for `count` tokens, a panel or one alone, whose sums stay in registers;
 * the results of the first `wanted` are stored. @inline
 */
export function gemmTile8(
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
  let block = blockOf(tile, 0, format);
  let line = lines;
  for (let i: i32 = 0; i < columns / 32; i++) {
    const head = headOf(tile, i, format);
    if (prefetches) prefetchAhead(block, BLOCK_BYTES[format]);
    /** @unroll */
    for (let j: i32 = 0; j < 8; j++) weights[j] = unpack(block, j, format);
    const scale = scaleOf(head, block, 0, format);
    /** @unroll */
    for (let t: i32 = 0; t < count; t++) {
      const x = ref(line[t]);
      const low = dotGroup(ref(weights[0]), x, 0, format, count);
      const high = dotGroup(ref(weights[4]), x, 1, format, count);
      const lowSum = f32x16.scale(f32x16.convert(low), x.scales[0]);
      const highSum = f32x16.scale(f32x16.convert(high), x.scales[1]);
      if (isSixBit(format)) {
        sums[t] = f32x16.add(sums[t], f32x16.mul(lowSum, scale));
        sums[t] = f32x16.add(sums[t], f32x16.mul(highSum, scaleOf(head, block, 1, format)));
      } else {
        sums[t] = f32x16.add(sums[t], f32x16.mul(f32x16.add(lowSum, highSum), scale));
      }
    }
    block = nextBlock(block, i, format);
    line = ref(line[count]);
  }
  /** @unroll */
  for (let t: i32 = 0; t < count; t++) {
    if (t < wanted) f32x16.store(out, t * outStride, sums[t]);
  }
}

/** Whether each 16 columns have a scale. @inline */
function isSixBit(format: i32): bool {
  return WEIGHT_BITS[format] == 6;
}

/**
 * Σ over 16 columns of (stored - 2^(bits - 1)) · quant, exact. count: tokens that share the
 * weights. @inline
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
