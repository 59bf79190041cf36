/**
 * Integer dot products of 16 rows × 4 columns, a vector of weights in which byte 4·r + c is row r,
 * column c. Multiplications and additions of 16-bit lanes only: the reference, and what emulators
 * are fast at, since they call a function for each instruction that multiplies and adds bytes.
 *
 * A lane of 16 bits holds two columns: even · even + odd · odd, in 16 bits while they fit, then in
 * 32.
 *
 *   5 bits   4 vectors fit: 4 · 2 · 31 · 127 = 31,496
 *   dot6     2 do:          2 · 2 · 63 · 127 = 32,004
 *   dot8     1 does:        2 · 128 · 127 = 32,512
 */
import { type Activations, broadcastQuants16 } from '../quantize.ts';

/** Room for a line's quants in 16 bits; with it a line is two cache lines. */
export const QUANTS16: i32 = 34;

/** Products of weights ≤ 31, added up in 16 bits: at most four vectors of them. */
export type Accumulator5 = i16x32;

/**
 * No products yet. The bias is what `reduce5` is given too: a variant adds it here or there.
 * @inline
 */
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
  return i16x32.add(accumulator, multiplyUnsigned(weights, x, column));
}

/** bias + Σ weight · quant @inline */
export function reduce5(bias: i32, accumulator: Accumulator5): i32x16 {
  return addLanes(i32x16.splat(bias), accumulator);
}

/** bias + Σ weight · quant, columns 16 · group …; weights ≤ 63. @inline */
export function dot6(bias: i32, weights: Ptr<u8x64>, x: Ptr<Activations>, group: i32): i32x16 {
  let sum = i32x16.splat(bias);
  /** @unroll */
  for (let j: i32 = 0; j < 4; j += 2) {
    const a = multiplyUnsigned(weights[j], x, group * 16 + j * 4);
    const b = multiplyUnsigned(weights[j + 1], x, group * 16 + j * 4 + 4);
    sum = addLanes(sum, i16x32.add(a, b));
  }
  return sum;
}

/** Σ (weight - 128) · quant, columns 16 · group … @inline */
export function dot8(weights: Ptr<u8x64>, x: Ptr<Activations>, group: i32): i32x16 {
  let sum = i32x16.splat(0);
  /** @unroll */
  for (let j: i32 = 0; j < 4; j++) {
    const weight = i16x32.reinterpret(u8x64.xor(weights[j], u8x64.splat(128)));
    const column = group * 16 + j * 4;
    const evens = i16x32.mul(evenBytes(weight), broadcastQuants16(x, column));
    const odds = i16x32.mul(i16x32.shr(weight, 8), broadcastQuants16(x, column + 1));
    sum = addLanes(sum, i16x32.add(evens, odds));
  }
  return sum;
}

/** The same, where no other token shares the weights. @inline */
export function dot8Gemv(weights: Ptr<u8x64>, x: Ptr<Activations>, group: i32): i32x16 {
  return dot8(weights, x, group);
}

/**
 * Per 16 bits: even · even + odd · odd of weights ≤ 127 and quants of columns `column` … column +
 * 3. @inline
 */
function multiplyUnsigned(weights: u8x64, x: Ptr<Activations>, column: i32): i16x32 {
  const weight = u16x32.reinterpret(weights);
  const evens = i16x32.reinterpret(u16x32.and(weight, u16x32.splat(255)));
  const odds = i16x32.reinterpret(u16x32.shr(weight, 8));
  return i16x32.add(
    i16x32.mul(evens, broadcastQuants16(x, column)),
    i16x32.mul(odds, broadcastQuants16(x, column + 1)),
  );
}

/** The lower byte of each lane, with its sign. @inline */
function evenBytes(v: i16x32): i16x32 {
  return i16x32.shr(i16x32.shl(v, 8), 8);
}

/** sum + the two 16-bit lanes of each lane. @inline */
function addLanes(sum: i32x16, pairs: i16x32): i32x16 {
  const both = i32x16.reinterpret(pairs);
  const even = i32x16.shr(i32x16.shl(both, 16), 16);
  return i32x16.add(sum, i32x16.add(even, i32x16.shr(both, 16)));
}
