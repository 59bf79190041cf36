import { exp16 } from './math.ts';

/** x[n] *= factor, n a multiple of 16. */
export function scaleBy(x: Ptr<f32>, factor: f32, n: i32): void {
  for (let i: i32 = 0; i < n; i += 16) {
    f32x16.store(x, i, f32x16.scale(f32x16.load(x, i), factor));
  }
}

/** x[n] = cap · tanh(x[n] / cap), n a multiple of 16. Gemma Team 2024, "Gemma 2" §2. */
export function softCap(x: Ptr<f32>, cap: f32, n: i32): void {
  for (let i: i32 = 0; i < n; i += 16) f32x16.store(x, i, softCap16(f32x16.load(x, i), cap));
}

/** The same of 16 values. tanh(x) = 1 - 2 / (e^2x + 1). */
export function softCap16(x: f32x16, cap: f32): f32x16 {
  const power = exp16(f32x16.scale(x, 2 / cap));
  const half = f32x16.div(f32x16.splat(cap), f32x16.add(power, f32x16.splat(1)));
  return f32x16.sub(f32x16.splat(cap), f32x16.scale(half, 2));
}
