class Inner {
  self!: Inner;
}

class Pair {
  a!: i32;
  b!: FixedArray<u8, 4>;
}

const pair = zeroed<Pair>();
const other = zeroed<Pair>();
let held: Pair;
let moved = zeroed<Pair>();

function pointer(p: Ptr<u8>): void {}
function byValue(p: Pair): void {}
function untyped(x) {}
function noResult(x: i32) {
  return x;
}
function misses(x: i32): i32 {
  if (x > 0) return 1;
}
function nothing(): void {
  return 3;
}
function something(): i32 {
  return;
}

export function types(a: i32, b: u32, c: f32, d: bool, p: Ptr<Pair>, v: f32x4, s: string): void {
  const sum = a + b;
  const narrow: u8 = a;
  const huge: u8 = 300;
  const half: i32 = 1.5;
  const inexact: f32 = 16777217;
  if (a) return;
  while (p) return;
  const text = s + s;
  const added = v + v;
  const moved = p + 1;
  const remainder = c % c;
  const flipped = ~c;
  const negated = -d;
  const cast = i32(p);
  const truth = d + d;
  pair = other;
  const copy = p[0];
  pointer(pair);
  pointer(p);
  pointer(s);
  pointer(1, 2);
  a(3);
  const at = a[0];
  const frac = p[c];
  5 = a;
  ref(5);
  ref(a + 1);
  const none = null;
  const v0 = nothing();
  let untold;
  let wide: u8 = 0;
  wide += a;
  const both = d ? a : c;
  const field = a.x;
  const big: i64 = 99999999999999999999999;
}

/** @packed */
class Packed {
  tag!: u8;
  value!: u32;
}

function parameters(a: i32): void {
  let a: i32 = 3;
}

/** @interrupt */
function handler(frame: Ptr<u64>): void {}

export function packed(p: Ptr<Packed>): void {
  const q = ref(p.value);
  const r = ref(p.tag);
  handler(null);
  const v = volatile.load<f32x4>(p);
}

export function interrupts(): usize {
  const plain: (frame: Ptr<u64>) => void = handler;
  const copied = handler;
  copied(null);
  return changetype<usize>(handler);
}
