/**
 * 8-bit matrices (GGML's Q8_0 and Q6_K): tiles of 16 rows. Weights are stored with a bias that makes them unsigned.
 *
 *   Q8_0 block, 32 columns   bytes 0-31   f16[16]     d: scale of each row
 *                            then 512     u8[8][64]   vector j: byte 4·r + c is row r, column 4j + c, plus 128
 *   Q6_K block, 16 columns   bytes 0-63   f32[16]     scale of each row (GGML's d · scales[i], exact in f32)
 *                            then 256     u8[4][64]   likewise, plus 32
 *
 * weight = scale · (byte - bias)
 */
import { quantsOf, scalesOf, spread, sumsOf } from './quantize.ts';

const TOKENS: i32 = 4; // that share one pass over the weights

/** Bytes of 32 columns. @inline */
export function blockBytes8(isSixBit: bool): i32 {
  return isSixBit ? 2 * (64 + 256) : 32 + 512;
}

/** out[token][16] = tile · activations. tile: one row of blocks. @inline */
export function multiplyTile8(
  out: Ptr<f32>,
  outStride: i32,
  tile: Ptr<u8>,
  columns: i32,
  isSixBit: bool,
  tokens: i32,
): void {
  let token: i32 = 0;
  for (; token + TOKENS <= tokens; token += TOKENS) {
    passTile8(out, outStride, tile, columns, isSixBit, token, TOKENS);
  }
  for (; token < tokens; token++) passTile8(out, outStride, tile, columns, isSixBit, token, 1);
}

/** Σ over 16 columns of (byte - bias) · quant, exact. @inline */
function dotGroup(weights: Ptr<u8>, q: Ptr<i8>, sum: i32, isSixBit: bool): i32x16 {
  let dot = i32x16.splat(sum * (isSixBit ? -32 : -128));
  for (let j: i32 = 0; j < 4; j++) {
    const bytes = u8x64.load(weights, j * 64);
    dot = isSixBit
      ? i32x16.dot7(dot, bytes, spread(q, j * 4))
      : i32x16.dot(dot, bytes, spread(q, j * 4));
  }
  return dot;
}

/** multiplyTile8 for `count` ≤ TOKENS tokens, whose sums stay in registers. @inline */
function passTile8(
  out: Ptr<f32>,
  outStride: i32,
  tile: Ptr<u8>,
  columns: i32,
  isSixBit: bool,
  first: i32,
  count: i32,
): void {
  const results = zeroed<FixedArray<f32x16, typeof TOKENS>>();
  let block = tile;
  for (let i: i32 = 0; i < columns / 32; i++) {
    for (let t: i32 = 0; t < count; t++) {
      const q = ref(quantsOf(first + t)[i * 32]);
      const scales = ref(scalesOf(first + t)[i * 2]);
      const sums = ref(sumsOf(first + t)[i * 2]);
      if (isSixBit) {
        for (let half: i32 = 0; half < 2; half++) {
          const group = ref(block[half * 320]);
          const dot = dotGroup(ref(group[64]), ref(q[half * 16]), sums[half], true);
          const scaled = f32x16.scale(f32x16.convert(dot), scales[half]);
          const scale = f32x16.load(changetype<Ptr<f32>>(group));
          results[t] = f32x16.add(results[t], f32x16.mul(scaled, scale));
        }
      } else {
        const low = dotGroup(ref(block[32]), q, sums[0], false);
        const high = dotGroup(ref(block[32 + 256]), ref(q[16]), sums[1], false);
        const lowSum = f32x16.scale(f32x16.convert(low), scales[0]);
        const highSum = f32x16.scale(f32x16.convert(high), scales[1]);
        const scale = f32x16.loadF16(changetype<Ptr<u16>>(block));
        results[t] = f32x16.add(results[t], f32x16.mul(f32x16.add(lowSum, highSum), scale));
      }
    }
    block = ref(block[blockBytes8(isSixBit)]);
  }
  for (let t: i32 = 0; t < count; t++) f32x16.store(out, (first + t) * outStride, results[t]);
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
