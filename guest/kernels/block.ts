/**
 * A block: 32 columns of a tile's 16 rows, with 4 to 8 bits a weight.
 *
 *   scales    f16[16]      d of each row, then f16[16] m where there is a minimum
 *             or, where 256 columns have a head (GGML's K types):
 *               head       f16[16] d, then f16[16] -dmin where there is a minimum
 *               scales     u8[16] s, then u8[16] m, of each row; 6 bits: i8[2][16] s of 16 columns
 *   weights   4-6 bits     u8[4][64] vector j: byte 4·r + c has row r; low nibble column 4j + c,
 *                          high nibble column 16 + 4j + c
 *             5 bits       then u8[64]: bit j of byte 4·r + c is the fifth of column 4j + c
 *             6 bits       then u8[2][64]: two bits likewise, of columns 0-15 and 16-31
 *             8 bits       u8[8][64] vector j: byte 4·r + c is row r, column 4j + c
 *
 * weight = scale · stored + minimum, or scale · (stored - 2^(bits - 1)); scale is d or d · s,
 * minimum is m or -dmin · m. Each of these is exact in f32.
 */
import { USES_5_BITS, USES_6_BITS } from 'model';
import { BLOCK_BYTES, hasMinimum, headBytes, TILE_ROWS, WEIGHT_BITS } from './tileFormat.ts';

/** The head that the block belongs to; the tile where there are none. block: its number. @inline */
export function headOf(tile: Ptr<u8>, block: i32, format: i32): Ptr<u8> {
  if (headBytes(format) == 0) return tile;
  return ref(tile[(block / 8) * (headBytes(format) + 8 * BLOCK_BYTES[format])]);
}

/** Where a block begins. @inline */
export function blockOf(tile: Ptr<u8>, block: i32, format: i32): Ptr<u8> {
  if (headBytes(format) == 0) return ref(tile[block * BLOCK_BYTES[format]]);
  return ref(headOf(tile, block, format)[headBytes(format) + (block % 8) * BLOCK_BYTES[format]]);
}

/** The one after block number i. @inline */
export function nextBlock(block: Ptr<u8>, i: i32, format: i32): Ptr<u8> {
  const head = i % 8 == 7 ? headBytes(format) : 0;
  return ref(block[BLOCK_BYTES[format] + head]);
}

/** Scale of 16 rows; with 6 bits of one group of 16 columns, else of all 32. @inline */
export function scaleOf(head: Ptr<u8>, block: Ptr<u8>, group: i32, format: i32): f32x16 {
  if (headBytes(format) == 0) return f32x16.loadF16(changetype<Ptr<u16>>(block));
  const d = f32x16.loadF16(changetype<Ptr<u16>>(head));
  if (WEIGHT_BITS[format] != 6) return f32x16.mul(d, f32x16.convert(u8x16.load(block)));
  const scales = changetype<Ptr<i8>>(block);
  return f32x16.mul(d, f32x16.convert(i8x16.load(scales, group * TILE_ROWS)));
}

/** Minimum of 16 rows, where the format has one. @inline */
export function minimumOf(head: Ptr<u8>, block: Ptr<u8>, format: i32): f32x16 {
  if (headBytes(format) == 0) return f32x16.loadF16(changetype<Ptr<u16>>(block), TILE_ROWS);
  const dmin = f32x16.loadF16(changetype<Ptr<u16>>(head), TILE_ROWS);
  return f32x16.mul(dmin, f32x16.convert(u8x16.load(block, TILE_ROWS)));
}

const HAS_UPPER_BITS: bool = USES_5_BITS || USES_6_BITS;

/** Where a block's weights begin. @inline */
function weightsOf(block: Ptr<u8>, format: i32): Ptr<u8> {
  return ref(block[headBytes(format) == 0 && hasMinimum(format) ? 64 : 32]);
}

/** Weights of columns 4j … 4j + 3, one a byte. @inline */
export function unpack(block: Ptr<u8>, j: i32, format: i32): u8x64 {
  const weights = weightsOf(block, format);
  if (WEIGHT_BITS[format] == 8) return u8x64.load(weights, j * 64);
  const pair = u8x64.load(weights, (j % 4) * 64);
  const nibble = j < 4 ? u8x64.and(pair, u8x64.splat(15)) : u8x64.shr(pair, 4);
  if (!HAS_UPPER_BITS || WEIGHT_BITS[format] == 4) return nibble;
  return u8x64.or(nibble, upperBits(weights, j, format));
}

/** What 5 and 6 bits have above a nibble, in its place. @inline */
function upperBits(weights: Ptr<u8>, j: i32, format: i32): u8x64 {
  if (WEIGHT_BITS[format] == 5) {
    return u8x64.and(shiftLeft(u8x64.load(weights, 256), 4 - j), u8x64.splat(16));
  }
  const pairs = u8x64.load(weights, 256 + (j / 4) * 64);
  return u8x64.and(shiftLeft(pairs, 4 - 2 * (j % 4)), u8x64.splat(48));
}

/**
 * Bits of each byte, moved by a constant; to the right where it is negative. Those that come from
 * another byte are of no use. @inline
 */
function shiftLeft(v: u8x64, by: i32): u8x64 {
  const words = u16x32.reinterpret(v);
  if (by >= 0) return u8x64.reinterpret(u16x32.shl(words, by));
  return u8x64.reinterpret(u16x32.shr(words, -by));
}

/** out[columns] = one row of the matrix, as numbers. lane: row within the tile. */
export function dequantizeBlocks(
  out: Ptr<f32>,
  tile: Ptr<u8>,
  columns: i32,
  lane: i32,
  format: i32,
): void {
  const vectors = zeroed<FixedArray<u8x64, 8>>();
  const stored = changetype<Ptr<u8>>(ref(vectors[0]));
  const offset = f32(1 << (WEIGHT_BITS[format] - 1));
  for (let i: i32 = 0; i < columns; i += 16) {
    const head = headOf(tile, i / 32, format);
    const block = blockOf(tile, i / 32, format);
    const first = (i % 32) / 4; // vector of this half of the block
    for (let j = first; j < first + 4; j++) vectors[j] = unpack(block, j, format);
    const scale = laneOf(scaleOf(head, block, first / 4, format), lane);
    const minimum: f32 = hasMinimum(format)
      ? laneOf(minimumOf(head, block, format), lane)
      : -offset * scale;
    for (let c: i32 = 0; c < 16; c++) {
      const weight = f32(stored[(first + c / 4) * 64 + lane * 4 + (c % 4)]);
      out[i + c] = fma(weight, scale, minimum);
    }
  }
}

/** @inline */
function laneOf(v: f32x16, lane: i32): f32 {
  const lanes = zeroed<FixedArray<f32, 16>>();
  f32x16.store(ref(lanes[0]), 0, v);
  return lanes[lane];
}
