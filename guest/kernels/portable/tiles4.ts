/**
 * 4-bit matrices (GGML's Q4_0 and Q4_1): tiles of 16 rows, cut into blocks of 32 columns.
 *
 *   block   bytes 0-31     f16[16]   d: scale of each row
 *           bytes 32-63    f16[16]   m: minimum of each row (Q4_1 only)
 *           then 256       u8[4][64] vector j: byte 4·r + c has row r; low nibble column 4j + c, high nibble column 16 + 4j + c
 *
 * weight = d · nibble + m (Q4_1), d · (nibble - 8) (Q4_0)
 *
 * Products are rounded before they are added: emulators, where images are tried out, take twelve times as long for a fused
 * multiply-add as for a multiplication, and a CPU hardly notices (docs/architecture.md).
 */
import { blockSumsOf, quantsOf, scalesOf, spread, sumsOf } from './quantize.ts';

const NIBBLES: i32 = 256;
const TOKENS: i32 = 4; // that share one pass over the weights

/** Bytes of a block: 320 with minimums, 288 without. @inline */
export function blockBytes4(hasMinimum: bool): i32 {
  return NIBBLES + (hasMinimum ? 64 : 32);
}

/** out[token][16] = tile · activations, for tokens of the batch first … end-1. tile: one row of blocks. @inline */
export function multiplyTile4(
  out: Ptr<f32>,
  outStride: i32,
  tile: Ptr<u8>,
  columns: i32,
  hasMinimum: bool,
  tokens: i32,
): void {
  let token: i32 = 0;
  for (; token + TOKENS <= tokens; token += TOKENS) {
    passTile4(out, outStride, tile, columns, hasMinimum, token, TOKENS);
  }
  for (; token < tokens; token++) passTile4(out, outStride, tile, columns, hasMinimum, token, 1);
}

/** The same for `count` ≤ TOKENS tokens, whose sums stay in registers. @inline */
function passTile4(
  out: Ptr<f32>,
  outStride: i32,
  tile: Ptr<u8>,
  columns: i32,
  hasMinimum: bool,
  first: i32,
  count: i32,
): void {
  const sums = zeroed<FixedArray<f32x16, typeof TOKENS>>();
  let block = tile;
  for (let i: i32 = 0; i < columns / 32; i++) {
    const scale = f32x16.loadF16(changetype<Ptr<u16>>(block));
    const nibbles = ref(block[hasMinimum ? 64 : 32]);
    for (let t: i32 = 0; t < count; t++) {
      const token = first + t;
      const q = quantsOf(token);
      let low = i32x16.splat(0);
      let high = i32x16.splat(0);
      if (!hasMinimum) {
        low = i32x16.splat(-8 * sumsOf(token)[i * 2]);
        high = i32x16.splat(-8 * sumsOf(token)[i * 2 + 1]);
      }
      for (let j: i32 = 0; j < 4; j++) {
        const pair = u8x64.load(nibbles, j * 64);
        low = i32x16.dot7(low, u8x64.and(pair, u8x64.splat(15)), spread(q, i * 32 + j * 4));
        high = i32x16.dot7(high, u8x64.shr(pair, 4), spread(q, i * 32 + 16 + j * 4));
      }
      const scales = scalesOf(token);
      const lowSum = f32x16.scale(f32x16.convert(low), scales[i * 2]);
      const highSum = f32x16.scale(f32x16.convert(high), scales[i * 2 + 1]);
      sums[t] = f32x16.add(sums[t], f32x16.mul(f32x16.add(lowSum, highSum), scale));
      if (hasMinimum) {
        const minimum = f32x16.loadF16(changetype<Ptr<u16>>(block), 16);
        sums[t] = f32x16.add(sums[t], f32x16.scale(minimum, blockSumsOf(token)[i]));
      }
    }
    block = ref(block[blockBytes4(hasMinimum)]);
  }
  for (let t: i32 = 0; t < count; t++) f32x16.store(out, (first + t) * outStride, sums[t]);
}

/** out[columns] = one row of the matrix, as numbers. lane: row within the tile. */
export function readRow4(
  out: Ptr<f32>,
  tile: Ptr<u8>,
  columns: i32,
  lane: i32,
  hasMinimum: bool,
): void {
  let block = tile;
  for (let i: i32 = 0; i < columns / 32; i++) {
    const scales = changetype<Ptr<u16>>(block);
    const scale = f32x16.lane(f32x16.loadF16(ref(scales[lane])), 0);
    const minimum: f32 = hasMinimum
      ? f32x16.lane(f32x16.loadF16(ref(scales[16 + lane])), 0)
      : -8 * scale;
    const nibbles = ref(block[hasMinimum ? 64 : 32]);
    for (let c: i32 = 0; c < 16; c++) {
      const pair = nibbles[(c / 4) * 64 + lane * 4 + (c % 4)];
      out[i * 32 + c] = fma(f32(pair & 15), scale, minimum);
      out[i * 32 + 16 + c] = fma(f32(pair >> 4), scale, minimum);
    }
    block = ref(block[blockBytes4(hasMinimum)]);
  }
}
