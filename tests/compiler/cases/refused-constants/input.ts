const A: i32 = B + 1;
const B: i32 = A + 1;
const ZERO: i32 = 5 / 0;
const OVER: i32 = 2147483647 + 1;
const CALL: i32 = f();
const TABLE: FixedArray<u8, 3> = [1, 2];
const BYTES: FixedArray<u8> = [1, 256];
const UNTYPED = [1, 2];
let count: i32 = f();
const n: i32 = 4;

enum Level {
  Low = 1,
  High = f(),
}

function f(): i32 {
  return 1;
}

export function use(x: i32, m: i32): i32 {
  const a = zeroed<FixedArray<u8, 4>>();
  const b = zeroed<FixedArray<u8, typeof f>>();
  const d = zeroed<i32>();
  a[4] = 1;
  a[-1] = 1;
  switch (x) {
    case 1:
      return 1;
    case 1:
      return 2;
    case m:
      return 3;
  }
  let late = zeroed<FixedArray<u8, 4>>();
  const r = x % 0;
  return f32x4.lane(f32x4.splat(0), x) + f32x4.lane(f32x4.splat(0), 4) > 0.0 ? 1 : 0;
}
