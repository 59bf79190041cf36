/** Matrices of F32, F16 or BF16: tiles of 16 rows, [column][16 rows]. Activations stay f32. */
import type { Input } from './quantize.ts';
import { TileFormat } from './tileFormat.ts';

/** Tokens that share one pass over the weights. */
const TOKENS: i32 = 4;

/** One column of 16 rows as f32, exactly. @inline */
function loadColumn(tile: Ptr<u8>, column: i32, format: i32): f32x16 {
  if (format == TileFormat.F32) return f32x16.load(changetype<Ptr<f32>>(tile), column * 16);
  const halves = changetype<Ptr<u16>>(tile);
  if (format == TileFormat.F16) return f32x16.loadF16(halves, column * 16);
  return f32x16.loadBF16(halves, column * 16);
}

/** out[token][16] = tile · input, for all tokens of the batch. @inline */
export function multiplyTileFloat(
  out: Ptr<f32>,
  outStride: i32,
  tile: Ptr<u8>,
  format: i32,
  input: Ptr<Input>,
  tokens: i32,
): void {
  let token: i32 = 0;
  for (; token + TOKENS <= tokens; token += TOKENS) {
    gemmTileFloat(ref(out[token * outStride]), outStride, tile, format, input, token, TOKENS);
  }
  for (; token < tokens; token++) {
    gemmTileFloat(ref(out[token * outStride]), outStride, tile, format, input, token, 1);
  }
}

/** The same for `count` ≤ TOKENS tokens from `token` on, whose sums stay in registers. @inline */
function gemmTileFloat(
  out: Ptr<f32>,
  outStride: i32,
  tile: Ptr<u8>,
  format: i32,
  input: Ptr<Input>,
  token: i32,
  count: i32,
): void {
  const sums = zeroed<FixedArray<f32x16, typeof TOKENS>>();
  const stride = input.stride;
  const x = ref(input.x[token * stride]);
  const columns = input.columns;
  for (let c: i32 = 0; c < columns; c++) {
    const weights = loadColumn(tile, c, format);
    for (let t: i32 = 0; t < count; t++) {
      sums[t] = f32x16.fma(weights, f32x16.splat(x[t * stride + c]), sums[t]);
    }
  }
  for (let t: i32 = 0; t < count; t++) f32x16.store(out, t * outStride, sums[t]);
}

/** out[columns] = one row of the matrix, as numbers. lane: row within the tile. */
export function readRowFloat(
  out: Ptr<f32>,
  tile: Ptr<u8>,
  columns: i32,
  lane: i32,
  format: i32,
): void {
  for (let c: i32 = 0; c < columns; c++) {
    if (format == TileFormat.F32) {
      out[c] = changetype<Ptr<f32>>(tile)[c * 16 + lane];
    } else {
      const half = ref(changetype<Ptr<u16>>(tile)[c * 16 + lane]);
      const values = format == TileFormat.F16 ? f32x2.loadF16(half) : f32x2.loadBF16(half);
      out[c] = f32x2.lane(values, 0);
    }
  }
}
