/**
 * Integer dot products of 16 rows × 16 columns, four vectors of weights in which byte 4·r + c of vector j is row r, column 4j + c.
 * Multiplications and additions of 16-bit lanes only: the reference, and what emulators are fast at, since they call a function
 * for each instruction that multiplies and adds bytes.
 *
 *   a lane of 16 bits holds two columns: even · even + odd · odd, in 16 bits while they fit, then in 32
 *   dot4   4 vectors fit: 4 · 2 · 15 · 127 = 15,240      dot6   2 do: 2 · 2 · 63 · 127 = 32,004      dot8   1 does: 2 · 128 · 127
 */
import { type Activations, spread } from './quantize.ts';

/** Where a group of 8-bit products begins: they are of the weights themselves, which are stored as value + 128. @inline */
export function start8(_x: Ptr<Activations>, _group: i32): i32 {
  return 0;
}

/** Products of weights ≤ 15, added up in 16 bits: at most four vectors of them. */
export type Products4 = i16x32;

/** No products yet. `start` is what `sum4` adds too: a level may take it here or there. @inline */
export function begin4(_start: i32): Products4 {
  return i16x32.splat(0);
}

/** products + weights · quants. @inline */
export function multiplyAdd4(products: Products4, weights: u8x64, quants: i8x64): Products4 {
  return i16x32.add(products, multiplyUnsigned(weights, quants));
}

/** start + Σ weight · quant @inline */
export function sum4(start: i32, products: Products4): i32x16 {
  return addLanes(i32x16.splat(start), products);
}

/** start + Σ weight · quant, columns 16 · group …; weights ≤ 63. @inline */
export function dot6(start: i32, weights: Ptr<u8x64>, x: Ptr<Activations>, group: i32): i32x16 {
  let sum = i32x16.splat(start);
  /** @unroll */
  for (let j: i32 = 0; j < 4; j += 2) {
    const a = multiplyUnsigned(weights[j], spread(x, group * 16 + j * 4));
    const b = multiplyUnsigned(weights[j + 1], spread(x, group * 16 + j * 4 + 4));
    sum = addLanes(sum, i16x32.add(a, b));
  }
  return sum;
}

/** The same for weights that are stored as value + 128. @inline */
export function dot8(start: i32, weights: Ptr<u8x64>, x: Ptr<Activations>, group: i32): i32x16 {
  let sum = i32x16.splat(start);
  /** @unroll */
  for (let j: i32 = 0; j < 4; j++) {
    const weight = i16x32.reinterpret(u8x64.xor(weights[j], u8x64.splat(128)));
    const quant = i16x32.reinterpret(spread(x, group * 16 + j * 4));
    const evens = i16x32.mul(evenBytes(weight), evenBytes(quant));
    sum = addLanes(sum, i16x32.add(evens, i16x32.mul(oddBytes(weight), oddBytes(quant))));
  }
  return sum;
}

/** Per 16 bits: even · even + odd · odd of weights ≤ 127 and quants. @inline */
function multiplyUnsigned(weights: u8x64, quants: i8x64): i16x32 {
  const weight = u16x32.reinterpret(weights);
  const quant = i16x32.reinterpret(quants);
  const evens = i16x32.reinterpret(u16x32.and(weight, u16x32.splat(255)));
  const odds = i16x32.reinterpret(u16x32.shr(weight, 8));
  return i16x32.add(i16x32.mul(evens, evenBytes(quant)), i16x32.mul(odds, oddBytes(quant)));
}

/** The lower byte of each lane, with its sign. @inline */
function evenBytes(v: i16x32): i16x32 {
  return i16x32.shr(i16x32.shl(v, 8), 8);
}

/** The upper byte of each lane, with its sign. @inline */
function oddBytes(v: i16x32): i16x32 {
  return i16x32.shr(v, 8);
}

/** sum + the two 16-bit lanes of each lane. @inline */
function addLanes(sum: i32x16, pairs: i16x32): i32x16 {
  const both = i32x16.reinterpret(pairs);
  const even = i32x16.shr(i32x16.shl(both, 16), 16);
  return i32x16.add(sum, i32x16.add(even, i32x16.shr(both, 16)));
}
