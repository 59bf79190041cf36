/**
 * a·b + c rounded once, on every machine. Where the instruction set has no fused multiply-add
 * (x86-64-v2, wasm), clang would call the C library, which there is none of; so the exact result
 * comes from wider arithmetic.
 */

import type { Type, VectorType } from '../types.ts';
import type { Use } from './intrinsic.ts';

const HARDWARE = 'defined(__FMA__) || defined(__aarch64__) || defined(__riscv_flen)';

/**
 * The product of two f32 is exact in f64. Their sum with c is rounded to odd (Boldo & Melquiond
 * 2008, "Emulation of FMA and correctly rounded sums"): an f64 whose last bit is 1 if anything was
 * lost, so that rounding it to f32 rounds once.
 */
const SINGLE = `HELPER f32 f32_fma(f32 a, f32 b, f32 c) {
  f64 product = (f64)a * (f64)b;
  f64 sum = product + (f64)c;
  u64 bits;
  __builtin_memcpy(&bits, &sum, 8);
  if ((bits & 0x7ff0000000000000ull) == 0x7ff0000000000000ull) return (f32)sum;
  f64 part = sum - product;
  f64 lost = (product - (sum - part)) + ((f64)c - part);
  if (lost != 0 && (bits & 1) == 0) {
    bits += (lost > 0) == (sum > 0) ? 1 : -1;
    __builtin_memcpy(&sum, &bits, 8);
  }
  return (f32)sum;
}`;

/**
 * f64 in integers: 106-bit product, aligned sum with a sticky bit, one rounding. Slow, exact,
 * rarely used.
 */
const DOUBLE = `static f64 f64_fma(f64 a, f64 b, f64 c) {
  const u64 mask = 0xfffffffffffffull, hidden = 0x10000000000000ull;
  u64 x, y, z;
  __builtin_memcpy(&x, &a, 8);
  __builtin_memcpy(&y, &b, 8);
  __builtin_memcpy(&z, &c, 8);
  i32 ex = (i32)(x >> 52) & 0x7ff, ey = (i32)(y >> 52) & 0x7ff, ez = (i32)(z >> 52) & 0x7ff;
  if (ex == 0x7ff || ey == 0x7ff || a == 0 || b == 0) return a * b + c;
  if (ez == 0x7ff) return c + c;
  if (c == 0) z = (x ^ y) & 0x8000000000000000ull, ez = 0;
  bool negative = (x ^ y) >> 63, other = z >> 63;
  x = (x & mask) | (ex ? hidden : 0);
  y = (y & mask) | (ey ? hidden : 0);
  z = (z & mask) | (ez ? hidden : 0);
  i32 e = (ex ? ex : 1) + (ey ? ey : 1) - 2150, f = (ez ? ez : 1) - 1075;
  // value = (high:low) · 2^e, product of two 53-bit numbers
  u64 x0 = x & 0xffffffff, x1 = x >> 32, y0 = y & 0xffffffff, y1 = y >> 32;
  u64 middle = x1 * y0 + (x0 * y0 >> 32), cross = x0 * y1 + (middle & 0xffffffff);
  u64 low = x * y, high = x1 * y1 + (middle >> 32) + (cross >> 32);
  // the product's top bit to bit 125, so that a sum has room
  i32 shift = high ? __builtin_clzll(high) - 2 : 62 + __builtin_clzll(low);
  if (shift >= 64) high = low << (shift - 64), low = 0;
  else if (shift > 0) high = high << shift | low >> (64 - shift), low <<= shift;
  e -= shift;
  u64 zhigh = 0, zlow = 0;
  if (z) {
    i32 up = __builtin_clzll(z) - 2;
    zhigh = z << up;
    f -= up + 64;
    // the smaller exponent moves to the larger, keeping what falls off as a sticky bit
    i32 distance = e - f;
    u64 *h = distance > 0 ? &zhigh : &high, *l = distance > 0 ? &zlow : &low;
    if (distance < 0) distance = -distance, e = f;
    if (distance >= 128) *l = (*h | *l) != 0, *h = 0;
    else if (distance >= 64) {
      u64 lost = *l | (distance > 64 ? *h << (128 - distance) : 0);
      *l = (*h >> (distance - 64)) | (lost != 0), *h = 0;
    } else if (distance > 0) {
      u64 lost = *l << (64 - distance);
      *l = *l >> distance | *h << (64 - distance) | (lost != 0), *h >>= distance;
    }
  }
  if (negative == other) {
    u64 sum = low + zlow;
    high += zhigh + (sum < low), low = sum;
  } else {
    bool swap = zhigh > high || (zhigh == high && zlow > low);
    u64 bh = swap ? zhigh : high, bl = swap ? zlow : low, sh = swap ? high : zhigh, sl = swap ? low : zlow;
    high = bh - sh - (bl < sl), low = bl - sl;
    if (swap) negative = other;
    if ((high | low) == 0) return 0;
  }
  // 64 bits and a sticky one, top bit at 62
  if (high == 0) high = low, low = 0, e -= 64;
  shift = __builtin_clzll(high) - 1;
  if (shift > 0) high = high << shift | low >> (64 - shift), low <<= shift, e -= shift;
  if (shift < 0) low = low >> 1 | high << 63 | (low & 1), high >>= 1, e += 1;
  high |= low != 0;
  e += 64;
  // value = high · 2^e with 2^62 ≤ high < 2^63; 53 bits stay, fewer below the normal range
  i32 drop = 10;
  if (e + drop < -1074) drop = -1074 - e;
  if (drop > 63) high = 1, drop = 63, e = -1074 - 63;
  u64 kept = high >> drop, rest = high << (64 - drop), half = 0x8000000000000000ull;
  kept += rest > half || (rest == half && (kept & 1));
  e += drop;
  u64 result = (u64)negative << 63;
  if (kept == hidden << 1) kept >>= 1, e += 1;
  if (e > 971) result |= 0x7ff0000000000000ull;
  else if (kept >= hidden) result |= ((u64)(e + 1075) << 52) | (kept & mask);
  else result |= kept;
  f64 r;
  __builtin_memcpy(&r, &result, 8);
  return r;
}`;

/** C of a·b + c for f32, f64 and vectors of them. */
export function fusedMultiplyAdd(use: Use, type: Type): string {
  const element = type.kind === 'vector' ? type.element : type;
  const scalar = use.c(element);
  const hardware = `HELPER ${scalar} ${scalar}_fma(${scalar} a, ${scalar} b, ${scalar} c) { return __builtin_fma${
    scalar === 'f32' ? 'f' : ''
  }(a, b, c); }`;
  const software = scalar === 'f32' ? SINGLE : DOUBLE;
  use.helper(`${scalar}_fma`, `#if ${HARDWARE}\n${hardware}\n#else\n${software}\n#endif`);
  if (type.kind !== 'vector') return `${scalar}_fma(${use.args.join(', ')})`;
  const vector = use.c(type);
  const { lanes } = type as VectorType;
  const text = `#if ${HARDWARE}
VECTOR_HELPER ${vector} ${vector}_fma(${vector} a, ${vector} b, ${vector} c) { return __builtin_elementwise_fma(a, b, c); }
#else
VECTOR_HELPER ${vector} ${vector}_fma(${vector} a, ${vector} b, ${vector} c) {
  for (i32 i = 0; i < ${lanes}; i++) c[i] = ${scalar}_fma(a[i], b[i], c[i]);
  return c;
}
#endif`;
  return `${use.helper(`${vector}_fma`, text)}(${use.args.join(', ')})`;
}
