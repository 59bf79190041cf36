/**
 * 8-bit matrices (GGML's Q8_0 and Q6_K): tiles of 16 rows. Weights are stored with a bias that makes them unsigned.
 *
 *   Q8_0 block, 32 columns   bytes 0-31   f16[16]     d: scale of each row
 *                            then 512     u8[8][64]   vector j: byte 4·r + c is row r, column 4j + c, plus 128
 *   Q6_K block, 16 columns   bytes 0-63   f32[16]     scale of each row (GGML's d · scales[i], exact in f32)
 *                            then 256     u8[4][64]   likewise, plus 32
 *
 * weight = scale · (byte - bias)
 *
 * Instructions for 32 columns of Q8_0 (512 products a token) with one token, and with eight: avx512vnni 30, 149; avx2 152, 890;
 * portable 226, 1405.
 */
import { dot6, dot8, dot8Alone } from 'dots';
import { fetchAhead, wantsAhead } from './ahead.ts';
import { type Activations, type Input, linesOf, PACK_TOKENS } from './quantize.ts';

/** Bytes of 32 columns. @inline */
export function blockBytes8(isSixBit: bool): i32 {
  return isSixBit ? 2 * (64 + 256) : 32 + 512;
}

/** out[token][16] = tile · activations, for all tokens of the batch. tile: one row of blocks. @inline */
export function multiplyTile8(
  out: Ptr<f32>,
  outStride: i32,
  tile: Ptr<u8>,
  isSixBit: bool,
  input: Ptr<Input>,
  tokens: i32,
): void {
  const columns = input.columns;
  if (tokens == 1) {
    const lines = linesOf(input, 0, 1);
    if (wantsAhead()) passTile8(out, outStride, tile, columns, isSixBit, lines, 1, 1, true);
    else passTile8(out, outStride, tile, columns, isSixBit, lines, 1, 1, false);
    return;
  }
  for (let token: i32 = 0; token < tokens; token += PACK_TOKENS) {
    const to = ref(out[token * outStride]);
    const lines = linesOf(input, token, tokens);
    const wanted = min(tokens - token, PACK_TOKENS);
    passTile8(to, outStride, tile, columns, isSixBit, lines, PACK_TOKENS, wanted, false);
  }
}

/** The same for a pack of `count` tokens, whose sums stay in registers; the results of the first `wanted` are stored. @inline */
function passTile8(
  out: Ptr<f32>,
  outStride: i32,
  tile: Ptr<u8>,
  columns: i32,
  isSixBit: bool,
  lines: Ptr<Activations>,
  count: i32,
  wanted: i32,
  isAhead: bool,
): void {
  const sums = zeroed<FixedArray<f32x16, typeof PACK_TOKENS>>();
  const weights = zeroed<FixedArray<u8x64, 8>>();
  let block = tile;
  let line = lines;
  for (let i: i32 = 0; i < columns / 32; i++) {
    if (isAhead) fetchAhead(block, blockBytes8(isSixBit));
    /** @unroll */
    for (let j: i32 = 0; j < 8; j++) weights[j] = u8x64.load(ref(block[vectorAt(j, isSixBit)]), 0);
    /** @unroll */
    for (let t: i32 = 0; t < count; t++) {
      const x = ref(line[t]);
      const low = dotGroup(ref(weights[0]), x, 0, isSixBit, count);
      const high = dotGroup(ref(weights[4]), x, 1, isSixBit, count);
      const lowSum = f32x16.scale(f32x16.convert(low), x.scales[0]);
      const highSum = f32x16.scale(f32x16.convert(high), x.scales[1]);
      if (isSixBit) {
        const scales = changetype<Ptr<f32>>(block);
        sums[t] = f32x16.add(sums[t], f32x16.mul(lowSum, f32x16.load(scales, 0)));
        sums[t] = f32x16.add(sums[t], f32x16.mul(highSum, f32x16.load(scales, 80)));
      } else {
        const scale = f32x16.loadF16(changetype<Ptr<u16>>(block));
        sums[t] = f32x16.add(sums[t], f32x16.mul(f32x16.add(lowSum, highSum), scale));
      }
    }
    block = ref(block[blockBytes8(isSixBit)]);
    line = ref(line[count]);
  }
  /** @unroll */
  for (let t: i32 = 0; t < count; t++) {
    if (t < wanted) f32x16.store(out, t * outStride, sums[t]);
  }
}

/** Where vector j of 32 columns begins in a block, in bytes. @inline */
function vectorAt(j: i32, isSixBit: bool): i32 {
  return isSixBit ? (j / 4) * 320 + 64 + (j % 4) * 64 : 32 + j * 64;
}

/** Σ over 16 columns of (byte - bias) · quant, exact. count: tokens that share the weights. @inline */
function dotGroup(
  weights: Ptr<u8x64>,
  x: Ptr<Activations>,
  group: i32,
  isSixBit: bool,
  count: i32,
): i32x16 {
  if (isSixBit) return dot6(x.starts4[group] * 4, weights, x, group);
  return count == 1 ? dot8Alone(weights, x, group) : dot8(weights, x, group);
}

/** out[columns] = one row of the matrix, as numbers. lane: row within the tile. */
export function readRow8(
  out: Ptr<f32>,
  tile: Ptr<u8>,
  columns: i32,
  lane: i32,
  isSixBit: bool,
): void {
  let block = tile;
  for (let i: i32 = 0; i < columns / 32; i++) {
    for (let c: i32 = 0; c < 32; c++) {
      const at = (c / 4) * 64 + lane * 4 + (c % 4);
      if (isSixBit) {
        const group = ref(block[(c / 16) * 320]);
        const weight = i32(group[64 + (at % 256)]) - 32;
        out[i * 32 + c] = changetype<Ptr<f32>>(group)[lane] * f32(weight);
      } else {
        const scale = f32x16.lane(f32x16.loadF16(ref(changetype<Ptr<u16>>(block)[lane])), 0);
        out[i * 32 + c] = scale * f32(i32(block[32 + at]) - 128);
      }
    }
    block = ref(block[blockBytes8(isSixBit)]);
  }
}
