/**
 * The dot products of portable.ts without VNNI, in pairs. Instructions for 16 rows × 16 columns, in
 * vectors of 32 bytes:
 *
 *   5 bits    8 pmaddubsw · 6 paddw · 2 pmaddwd · 2 paddd
 *             four pairs of products fit in 16 bits: 4 · 2 · 31 · 127 = 31,496
 *   dot6      8 pmaddubsw · 4 paddw · 4 pmaddwd · 4 paddd
 *             two do: 2 · 2 · 63 · 127 = 32,004
 *   dot8      8 pmaddubsw · 8 pmaddwd · 8 paddd · 8 psignb,
 *             and for all tokens that share the weights 8 pxor · 8 pabsb
 *   dot8Gemv  16 pmaddwd · 16 paddd · 8 pand · 8 psrlw: half of them run on any of four pipes, of
 *             dot8's on two only
 */
import { USES_8_BITS } from 'model';
import { type Activations, broadcastQuants, broadcastQuants16 } from '../quantize.ts';

/** dot8Gemv wants 16 bits. */
export const QUANTS16: i32 = USES_8_BITS ? 34 : 2;

/** Products of weights ≤ 31, added up in 16 bits: at most four vectors of them. */
export type Accumulator5 = i16x32;

/** @inline */
export function beginAccumulator5(_bias: i32): Accumulator5 {
  return i16x32.splat(0);
}

/** accumulator + weights · quants of columns `column` … column + 3. @inline */
export function accumulate5(
  accumulator: Accumulator5,
  weights: u8x64,
  x: Ptr<Activations>,
  column: i32,
): Accumulator5 {
  return i16x32.add(accumulator, i16x32.pairDot(weights, broadcastQuants(x, column)));
}

/** bias + Σ weight · quant @inline */
export function reduce5(bias: i32, accumulator: Accumulator5): i32x16 {
  return addPairs(i32x16.splat(bias), accumulator);
}

/** bias + Σ weight · quant, columns 16 · group …; weights ≤ 63. @inline */
export function dot6(bias: i32, weights: Ptr<u8x64>, x: Ptr<Activations>, group: i32): i32x16 {
  let sum = i32x16.splat(bias);
  /** @unroll */
  for (let j: i32 = 0; j < 4; j += 2) {
    const a = i16x32.pairDot(weights[j], broadcastQuants(x, group * 16 + j * 4));
    const b = i16x32.pairDot(weights[j + 1], broadcastQuants(x, group * 16 + j * 4 + 4));
    sum = addPairs(sum, i16x32.add(a, b));
  }
  return sum;
}

/**
 * Σ (weight - 128) · quant, columns 16 · group …; |weight - 128| ≤ 128, |quant| ≤ 127: a pair fits
 * in 16 bits. @inline
 */
export function dot8(weights: Ptr<u8x64>, x: Ptr<Activations>, group: i32): i32x16 {
  let sum = i32x16.splat(0);
  /** @unroll */
  for (let j: i32 = 0; j < 4; j++) {
    const weight = i8x64.reinterpret(u8x64.xor(weights[j], u8x64.splat(128)));
    const quant = i8x64.applySign(broadcastQuants(x, group * 16 + j * 4), weight);
    sum = addPairs(sum, i16x32.pairDot(u8x64.reinterpret(i8x64.abs(weight)), quant));
  }
  return sum;
}

/** The same, where no other token shares the weights. @inline */
export function dot8Gemv(weights: Ptr<u8x64>, x: Ptr<Activations>, group: i32): i32x16 {
  let sum = i32x16.splat(x.bias8[group]);
  /** @unroll */
  for (let j: i32 = 0; j < 4; j++) {
    const weight = u16x32.reinterpret(weights[j]);
    const evens = i16x32.reinterpret(u16x32.and(weight, u16x32.splat(255)));
    const odds = i16x32.reinterpret(u16x32.shr(weight, 8));
    const column = group * 16 + j * 4;
    sum = i32x16.add(sum, i32x16.dot2(evens, broadcastQuants16(x, column)));
    sum = i32x16.add(sum, i32x16.dot2(odds, broadcastQuants16(x, column + 1)));
  }
  return sum;
}

/** sum + the two 16-bit lanes of each lane. @inline */
function addPairs(sum: i32x16, pairs: i16x32): i32x16 {
  return i32x16.add(sum, i32x16.dot2(pairs, i16x32.splat(1)));
}
