/**
 * 4-bit matrices (GGML's Q4_0 and Q4_1): tiles of 16 rows, cut into blocks of 32 columns.
 *
 *   block   bytes 0-31     f16[16]   d: scale of each row
 *           bytes 32-63    f16[16]   m: minimum of each row (Q4_1 only)
 *           then 256       u8[4][64] vector j: byte 4·r + c has row r; low nibble column 4j + c, high nibble column 16 + 4j + c
 *
 * weight = d · nibble + m (Q4_1), d · (nibble - 8) (Q4_0)
 *
 * Instructions for a block (512 products a token) with one token, and with eight:
 *
 *            avx512vnni    avx2         portable
 *   Q4_0     38, 163       103, 668     202, 1206
 *   Q4_1     41, 177       103, 650     196, 1188
 *
 * Products are rounded before they are added: emulators, where images are tried out, take twelve times as long for a fused
 * multiply-add as for a multiplication, and a CPU hardly notices (docs/architecture.md).
 */
import { dot4 } from 'kernels';
import { type Activations, type Input, linesOf, PACK_TOKENS } from './quantize.ts';

const NIBBLES: i32 = 256;

/** Bytes of a block: 320 with minimums, 288 without. @inline */
export function blockBytes4(hasMinimum: bool): i32 {
  return NIBBLES + (hasMinimum ? 64 : 32);
}

/** out[token][16] = tile · activations, for all tokens of the batch. tile: one row of blocks. @inline */
export function multiplyTile4(
  out: Ptr<f32>,
  outStride: i32,
  tile: Ptr<u8>,
  hasMinimum: bool,
  input: Ptr<Input>,
  tokens: i32,
): void {
  const columns = input.columns;
  if (tokens == 1) {
    passTile4(out, outStride, tile, columns, hasMinimum, linesOf(input, 0, 1), 1, 1);
    return;
  }
  for (let token: i32 = 0; token < tokens; token += PACK_TOKENS) {
    const to = ref(out[token * outStride]);
    const lines = linesOf(input, token, tokens);
    const wanted = min(tokens - token, PACK_TOKENS);
    passTile4(to, outStride, tile, columns, hasMinimum, lines, PACK_TOKENS, wanted);
  }
}

/** The same for a pack of `count` tokens, whose sums stay in registers; the results of the first `wanted` are stored. @inline */
function passTile4(
  out: Ptr<f32>,
  outStride: i32,
  tile: Ptr<u8>,
  columns: i32,
  hasMinimum: bool,
  lines: Ptr<Activations>,
  count: i32,
  wanted: i32,
): void {
  const sums = zeroed<FixedArray<f32x16, typeof PACK_TOKENS>>();
  const low = zeroed<FixedArray<u8x64, 4>>();
  const high = zeroed<FixedArray<u8x64, 4>>();
  let block = tile;
  let line = lines;
  for (let i: i32 = 0; i < columns / 32; i++) {
    const halves = changetype<Ptr<u16>>(block);
    const scale = f32x16.loadF16(halves);
    const minimum = hasMinimum ? f32x16.loadF16(halves, 16) : f32x16.splat(0);
    /** @unroll */
    for (let j: i32 = 0; j < 4; j++) {
      const pair = u8x64.load(ref(block[hasMinimum ? 64 : 32]), j * 64);
      low[j] = u8x64.and(pair, u8x64.splat(15));
      high[j] = u8x64.shr(pair, 4);
    }
    /** @unroll */
    for (let t: i32 = 0; t < count; t++) {
      const x = ref(line[t]);
      const lowDot = dot4(hasMinimum ? 0 : x.starts4[0], ref(low[0]), x, 0);
      const highDot = dot4(hasMinimum ? 0 : x.starts4[1], ref(high[0]), x, 1);
      const lowSum = f32x16.scale(f32x16.convert(lowDot), x.scales[0]);
      const highSum = f32x16.scale(f32x16.convert(highDot), x.scales[1]);
      sums[t] = f32x16.add(sums[t], f32x16.mul(f32x16.add(lowSum, highSum), scale));
      if (hasMinimum) sums[t] = f32x16.add(sums[t], f32x16.scale(minimum, x.sum));
    }
    block = ref(block[blockBytes4(hasMinimum)]);
    line = ref(line[count]);
  }
  /** @unroll */
  for (let t: i32 = 0; t < count; t++) {
    if (t < wanted) f32x16.store(out, t * outStride, sums[t]);
  }
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
