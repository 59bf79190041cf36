/**
 * The dot products of portable.ts by VNNI: each `i32x16.dot` is one vpdpbusd of 64 bytes, which
 * adds four products of unsigned and signed bytes to a lane. 16 rows × 16 columns are four of them.
 */
import { type Activations, broadcastQuants } from '../quantize.ts';

/** None are wanted: bytes are multiplied. Two fill the rest of a cache line. */
export const QUANTS16: i32 = 2;

export type Accumulator5 = i32x16;

/** @inline */
export function beginAccumulator5(bias: i32): Accumulator5 {
  return i32x16.splat(bias);
}

/** accumulator + weights · quants of columns `column` … column + 3. @inline */
export function accumulate5(
  accumulator: Accumulator5,
  weights: u8x64,
  x: Ptr<Activations>,
  column: i32,
): Accumulator5 {
  return i32x16.dot(accumulator, weights, broadcastQuants(x, column));
}

/** The accumulator began with the bias. @inline */
export function reduce5(_bias: i32, accumulator: Accumulator5): i32x16 {
  return accumulator;
}

/** bias + Σ weight · quant, columns 16 · group … @inline */
export function dot6(bias: i32, weights: Ptr<u8x64>, x: Ptr<Activations>, group: i32): i32x16 {
  let sum = i32x16.splat(bias);
  /** @unroll */
  for (let j: i32 = 0; j < 4; j++) {
    sum = i32x16.dot(sum, weights[j], broadcastQuants(x, group * 16 + j * 4));
  }
  return sum;
}

/** Σ (weight - 128) · quant @inline */
export function dot8(weights: Ptr<u8x64>, x: Ptr<Activations>, group: i32): i32x16 {
  return dot6(x.bias8[group], weights, x, group);
}

/** The same, where no other token shares the weights. @inline */
export function dot8Gemv(weights: Ptr<u8x64>, x: Ptr<Activations>, group: i32): i32x16 {
  return dot6(x.bias8[group], weights, x, group);
}
