/**
 * The dot products of portable/dots.ts without VNNI, in pairs of bytes. Instructions for 16 rows × 16 columns, in vectors of 32 bytes:
 *
 *   dot4   8 pmaddubsw · 6 paddw · 2 pmaddwd · 2 paddd     four pairs of products fit in 16 bits: 4 · 2 · 15 · 127 = 15,240
 *   dot6   8 pmaddubsw · 4 paddw · 4 pmaddwd · 4 paddd     two do: 2 · 2 · 63 · 127 = 32,004
 *   dot8   8 pxor · 8 pabsb · 8 psignb · 8 pmaddubsw · 8 pmaddwd · 8 paddd
 */
import { type Activations, spread } from '../portable/quantize.ts';

/** The products are of the weights themselves, not of weight + 128. @inline */
export function start8(_x: Ptr<Activations>, _group: i32): i32 {
  return 0;
}

/** Products of weights ≤ 15, added up in 16 bits: at most four vectors of them. */
export type Products4 = i16x32;

/** @inline */
export function begin4(_start: i32): Products4 {
  return i16x32.splat(0);
}

/** @inline */
export function multiplyAdd4(products: Products4, weights: u8x64, quants: i8x64): Products4 {
  return i16x32.add(products, i16x32.pairDot(weights, quants));
}

/** start + Σ weight · quant @inline */
export function sum4(start: i32, products: Products4): i32x16 {
  return i32x16.addPairs(i32x16.splat(start), products);
}

/** start + Σ weight · quant, columns 16 · group …; weights ≤ 63. @inline */
export function dot6(start: i32, weights: Ptr<u8x64>, x: Ptr<Activations>, group: i32): i32x16 {
  let sum = i32x16.splat(start);
  /** @unroll */
  for (let j: i32 = 0; j < 4; j += 2) {
    const a = i16x32.pairDot(weights[j], spread(x, group * 16 + j * 4));
    const b = i16x32.pairDot(weights[j + 1], spread(x, group * 16 + j * 4 + 4));
    sum = i32x16.addPairs(sum, i16x32.add(a, b));
  }
  return sum;
}

/** The same for weights that are stored as value + 128. |weight| ≤ 128, |quant| ≤ 127: a pair fits in 16 bits. @inline */
export function dot8(start: i32, weights: Ptr<u8x64>, x: Ptr<Activations>, group: i32): i32x16 {
  let sum = i32x16.splat(start);
  /** @unroll */
  for (let j: i32 = 0; j < 4; j++) {
    const weight = i8x64.reinterpret(u8x64.xor(weights[j], u8x64.splat(128)));
    const quant = i8x64.applySign(spread(x, group * 16 + j * 4), weight);
    sum = i32x16.addPairs(sum, i16x32.pairDot(u8x64.reinterpret(i8x64.abs(weight)), quant));
  }
  return sum;
}
