/**
 * Integer dot products of 16 rows × 16 columns, four vectors of weights in which byte 4·r + c of vector j is row r, column 4j + c.
 * One `i32x16.dot` a vector: an instruction where there is VNNI.
 */
import { type Activations, spread } from './quantize.ts';

/** What tiles8.ts starts a group of 8-bit products with: they are of value + 128. @inline */
export function start8(x: Ptr<Activations>, group: i32): i32 {
  return x.starts8[group];
}

/** start + Σ weight · quant, columns 16 · group …; weights ≤ 63. @inline */
export function dot6(start: i32, weights: Ptr<u8x64>, x: Ptr<Activations>, group: i32): i32x16 {
  let sum = i32x16.splat(start);
  /** @unroll */
  for (let j: i32 = 0; j < 4; j++) {
    sum = i32x16.dot7(sum, weights[j], spread(x, group * 16 + j * 4));
  }
  return sum;
}

/** The same for any weights. @inline */
export function dot8(start: i32, weights: Ptr<u8x64>, x: Ptr<Activations>, group: i32): i32x16 {
  let sum = i32x16.splat(start);
  /** @unroll */
  for (let j: i32 = 0; j < 4; j++) {
    sum = i32x16.dot(sum, weights[j], spread(x, group * 16 + j * 4));
  }
  return sum;
}
