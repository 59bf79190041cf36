export function attention(out: Ptr<f32>, q: Ptr<f32>, k: Ptr<u16>, n: i32): f32 {
  let sum = f32x8.splat(0);
  for (let i: i32 = 0; i < n; i += 8) {
    sum = f32x8.fma(f32x8.load(q, i), f32x8.loadF16(k, i), sum);
  }
  const top = f32x8.max(sum, f32x8.neg(sum));
  f32x8.store(out, 0, f32x8.select(sum, top, f32x8.less(sum, top)));
  return f32x8.sum(sum) + f32x8.maxLane(top);
}

export function bytes(a: Ptr<u8>, b: Ptr<i8>): i32 {
  const low = u8x16.and(u8x16.load(a), u8x16.splat(15));
  const acc = i32x4.dot(i32x4.splat(0), low, i8x16.load(b, 16));
  const wide = i32x4.convert(f32x4.convert(acc));
  return i32x4.sum(wide) + i32x4.lane(i32x4.shl(acc, 3), 2);
}
