/**
 * exp, sin and cos made of +, ×, fused multiply-add and rounding only, so that every CPU gives the
 * same bits.
 */

const LOG2_E: f32 = 1.4426950408889634;
const LN2_HIGH: f32 = 0.693359375; // nine bits: a product with |n| < 2¹⁵ is exact
const LN2_LOW: f32 = -0.00021219444005469057;
/** Below this exp is rounded to e^-87 ≈ 1.6e-38, the last normal power; above it would overflow. */
const EXP_LOWEST: f32 = -87;
const EXP_HIGHEST: f32 = 88;

/**
 * e^x per lane, error below 2 ulp; x is held to [-87, 88]. x = n·ln 2 + r, e^r by its Taylor series
 * to r⁷.
 */
export function exp16(x: f32x16): f32x16 {
  const held = f32x16.min(f32x16.max(x, f32x16.splat(EXP_LOWEST)), f32x16.splat(EXP_HIGHEST));
  const n = f32x16.nearest(f32x16.scale(held, LOG2_E));
  let r = f32x16.fma(n, f32x16.splat(-LN2_HIGH), held);
  r = f32x16.fma(n, f32x16.splat(-LN2_LOW), r);
  let sum = f32x16.splat(1.0 / 5040.0);
  sum = f32x16.fma(sum, r, f32x16.splat(1.0 / 720.0));
  sum = f32x16.fma(sum, r, f32x16.splat(1.0 / 120.0));
  sum = f32x16.fma(sum, r, f32x16.splat(1.0 / 24.0));
  sum = f32x16.fma(sum, r, f32x16.splat(1.0 / 6.0));
  sum = f32x16.fma(sum, r, f32x16.splat(0.5));
  sum = f32x16.fma(sum, r, f32x16.splat(1));
  sum = f32x16.fma(sum, r, f32x16.splat(1));
  // 2ⁿ is put together from its exponent bits: n + 127 at bit 23
  const power = i32x16.shl(i32x16.add(i32x16.convert(n), i32x16.splat(127)), 23);
  return f32x16.mul(sum, f32x16.reinterpret(power));
}

/** e^x of one number: lane 0 of exp16. */
export function exp(x: f32): f32 {
  return f32x16.lane(exp16(f32x16.splat(x)), 0);
}

const TWO_OVER_PI: f64 = 0.6366197723675814;
const HALF_PI_HIGH: f64 = 1.5707963267341256; // 33 bits: a product with |n| < 2²⁰ is exact
const HALF_PI_LOW: f64 = 6.077100506506192e-11;

/** sin r for |r| ≤ π/4 by its Taylor series to r¹⁵. */
function sinSmall(r: f64): f64 {
  const square = r * r;
  let sum: f64 = -1.0 / 1307674368000.0;
  sum = fma(sum, square, 1.0 / 6227020800.0);
  sum = fma(sum, square, -1.0 / 39916800.0);
  sum = fma(sum, square, 1.0 / 362880.0);
  sum = fma(sum, square, -1.0 / 5040.0);
  sum = fma(sum, square, 1.0 / 120.0);
  sum = fma(sum, square, -1.0 / 6.0);
  return fma(sum * square, r, r);
}

/** cos r for |r| ≤ π/4 by its Taylor series to r¹⁶. */
function cosSmall(r: f64): f64 {
  const square = r * r;
  let sum: f64 = 1.0 / 20922789888000.0;
  sum = fma(sum, square, -1.0 / 87178291200.0);
  sum = fma(sum, square, 1.0 / 479001600.0);
  sum = fma(sum, square, -1.0 / 3628800.0);
  sum = fma(sum, square, 1.0 / 40320.0);
  sum = fma(sum, square, -1.0 / 720.0);
  sum = fma(sum, square, 1.0 / 24.0);
  sum = fma(sum, square, -0.5);
  return fma(sum, square, 1);
}

/** sin(x + quarterTurns·π/2) for |x| < 10⁶, error below 1e-14. */
function sinTurned(x: f64, quarterTurns: i32): f64 {
  const n = nearest(x * TWO_OVER_PI);
  const r = fma(n, -HALF_PI_LOW, fma(n, -HALF_PI_HIGH, x));
  const quarter = (i32(n) + quarterTurns) & 3;
  const value = (quarter & 1) == 0 ? sinSmall(r) : cosSmall(r);
  return quarter >= 2 ? -value : value;
}

export function sin(x: f64): f64 {
  return sinTurned(x, 0);
}

export function cos(x: f64): f64 {
  return sinTurned(x, 1);
}
