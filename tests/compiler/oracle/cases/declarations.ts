// Constants, enums, globals, scopes, memory.

const WIDTH: i32 = 7;
const AREA: i32 = WIDTH * (WIDTH + 3);
const MASK: u8 = 0xff ^ 0x0f;
const BIG: u64 = 0xcbf29ce484222325;
const SCALE: f32 = 1.0 / 3.0;
const NEGATIVE: i64 = -9223372036854775808;
const HALF: f64 = 0.5;

enum Color {
  Red,
  Green = 5,
  Blue,
}

let total: i64 = 100;
const ratio: f32 = 0.25;
let flag: bool = true;

export function constants(x: i32): i64 {
  return i64(AREA + x) + i64(MASK) + i64(BIG % 1000) + NEGATIVE / 1000;
}

export function floats(x: f32): f32 {
  return x * SCALE + ratio;
}

export function doubles(x: f64): f64 {
  return x * HALF + f64(SCALE);
}

export function colors(x: i32): i32 {
  if (x == Color.Green) return Color.Blue;
  return Color.Red + x;
}

export function globals(x: i64): i64 {
  total += x;
  flag = !flag;
  const value = total;
  total = 100;
  return flag ? value : -value;
}

function pick(a: u8, b: u8, n: i32): u8 {
  let result = a;
  for (let i: i32 = 0; i < n; i++) result = result == a ? b : a;
  return result;
}

export function picked(a: i32, b: f64): f64 {
  return f64(max<i32>(a, 3)) + max<f64>(b, 2.5) + f64(pick(u8(3), 200, a & 7));
}

export function sizes(): usize {
  return sizeof<u8>() + sizeof<u16>() * 10 + sizeof<i64>() * 100 + sizeof<f32>() * 1000;
}

export function scopes(x: i32): i32 {
  let y = x;
  {
    const y: i32 = 5;
    x += y;
  }
  for (let y: i32 = 0; y < 3; y++) x += y;
  y += x;
  return y;
}

export function bytes(x: u64): u64 {
  const at: usize = 1048576;
  store<u64>(at, x);
  store<u8>(at, 0x80, 3);
  store<i16>(at + 5, -2);
  return load<u64>(at) + u64(load<u16>(at, 3)) + u64(load<i8>(at + 3));
}

export function blocks(n: usize): u32 {
  const at: usize = 1048576;
  memory.fill(at, 0xab, 64);
  for (let i: usize = 0; i < n; i++) store<u8>(at + i, u8(i));
  memory.copy(at + 3, at, n);
  let hash: u32 = 2166136261;
  for (let i: usize = 0; i < 64; i++) hash = (hash ^ u32(load<u8>(at + i))) * 16777619;
  return hash;
}

export function bits(x: u32): u32 {
  return (
    rotr<u32>(x, 7) +
    ctz(x) * 3 +
    popcnt(x)
  );
}

export function stops(x: i32): i32 {
  if (x == 5) unreachable();
  return 100 / x;
}

export function mixed(a: u8, b: i16, c: u32): i64 {
  let x: u8 = a;
  x += 200;
  x <<= 1;
  let y: i16 = b;
  y *= 300;
  y -= 5;
  y >>= 2;
  let z: u32 = c;
  z -= 7;
  z >>= 3;
  z ^= 0xf0f0;
  return i64(x) + i64(y) * 1000 + i64(z);
}
