const THIRD: f32 = 1.0 / 3.0;
const INFINITE: f32 = 1.0 / 0.0;

export function single(x: f32): f32 {
  return x * THIRD + 0.1 - 1e-40;
}

export function double(x: f64, n: i32): f64 {
  return fma(x, 2, -0.0) / f64(n) + nearest(x) + min(x, 1);
}

export function special(x: f32): bool {
  return x != x || x == INFINITE || sqrt(x) > max(x, -x);
}
