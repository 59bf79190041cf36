#if defined(__FMA__) || defined(__aarch64__) || defined(__riscv_flen)
HELPER f64 f64_fma(f64 a, f64 b, f64 c) { return __builtin_fma(a, b, c); }
#else
static f64 f64_fma(f64 a, f64 b, f64 c) {
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
}
#endif
HELPER f64 f64_min(f64 a, f64 b) { return a < b ? a : b; }

static const f32 THIRD = 0.33333334f;
f32 single(f32);
f64 double_(f64, i32);
bool special(f32);

#line 3 "tests/compiler/cases/floats/input.ts"
f32 single(f32 x) {
  return x * THIRD + 0.1f - 1e-40f;
}

f64 double_(f64 x, i32 n) {
  return f64_fma(x, 2.0, -0.0) / (f64)n + __builtin_roundeven(x) + f64_min(x, 1.0) + __builtin_copysign(x, -1.0);
}

bool special(f32 x) {
  return __builtin_isnan(x) || x == __builtin_inff() || __builtin_elementwise_sqrt(x) > __builtin_fabsf(x);
}
