/**
 * The dot products of portable.ts by VNNI: each `i32x16.dot` is one vpdpbusd of 64 bytes, which adds
 * four products of unsigned and signed bytes to a lane. 16 rows × 16 columns are four of them.
 */
import { type Activations, spread } from '../quantize.ts';

/** Bytes are what dot products want; the two fill a cache line. */
export const WORDS: i32 = 2;

export type Products4 = i32x16;

/** @inline */
export function begin4(start: i32): Products4 {
  return i32x16.splat(start);
}

/** products + weights · quants of columns `column` … column + 3. @inline */
export function multiplyAdd4(
  products: Products4,
  weights: u8x64,
  x: Ptr<Activations>,
  column: i32,
): Products4 {
  return i32x16.dot(products, weights, spread(x, column));
}

/** `products` began with `start`. @inline */
export function sum4(_start: i32, products: Products4): i32x16 {
  return products;
}

/** start + Σ weight · quant, columns 16 · group … @inline */
export function dot6(start: i32, weights: Ptr<u8x64>, x: Ptr<Activations>, group: i32): i32x16 {
  let sum = i32x16.splat(start);
  /** @unroll */
  for (let j: i32 = 0; j < 4; j++) {
    sum = i32x16.dot(sum, weights[j], spread(x, group * 16 + j * 4));
  }
  return sum;
}

/** Σ (weight - 128) · quant @inline */
export function dot8(weights: Ptr<u8x64>, x: Ptr<Activations>, group: i32): i32x16 {
  return dot6(x.starts8[group], weights, x, group);
}

/** The same, where no other token shares the weights. @inline */
export function dot8Alone(weights: Ptr<u8x64>, x: Ptr<Activations>, group: i32): i32x16 {
  return dot6(x.starts8[group], weights, x, group);
}
