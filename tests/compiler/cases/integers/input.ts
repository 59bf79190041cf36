// Small types wrap by a cast, shift counts are masked, divisions that may trap are helpers.
export function wraps(a: u8, b: u8): u8 {
  return a * b + 1;
}

export function shifts(a: i32, n: u32): i32 {
  return (a << n) + (a >> 3) + (a >>> 35);
}

export function divides(a: i64, b: i64): i64 {
  return a / b + a % b + a / 10 + a % 16;
}

export function casts(x: f32, y: i64): u16 {
  return u16(y) + u16(x) + u16(bool(y));
}

export function mixes(small: u16, wide: i64, size: usize): i64 {
  const sum = small + wide;
  return sum + i64(size / 2);
}

export function literals(): u64 {
  const big: u64 = 0xffff_ffff_ffff_ffff;
  const mask: u64 = 1 << 40;
  const least: i32 = -2147483648;
  return big ^ mask ^ u64(least);
}
