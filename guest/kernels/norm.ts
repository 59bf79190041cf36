import { NORM_EPSILON } from 'model';

/**
 * out[n] = weight[n] · x[n] / rms(x). x, weight, out: f32[n], n a multiple of 16; out may be x.
 * Zhang & Sennrich 2019, eq. 4. The squares are summed in 16 lanes, then by the fixed tree of
 * `sum`.
 */
export function rmsNorm(out: Ptr<f32>, x: Ptr<f32>, weight: Ptr<f32>, n: i32): void {
  let squares = f32x16.splat(0);
  for (let i: i32 = 0; i < n; i += 16) {
    const v = f32x16.load(x, i);
    squares = f32x16.fma(v, v, squares);
  }
  const scale: f32 = 1 / sqrt(f32x16.sum(squares) / f32(n) + NORM_EPSILON);
  for (let i: i32 = 0; i < n; i += 16) {
    const v = f32x16.scale(f32x16.load(x, i), scale);
    f32x16.store(out, i, f32x16.mul(f32x16.load(weight, i), v));
  }
}

/** x[n] += y[n], n a multiple of 16. */
export function addTo(x: Ptr<f32>, y: Ptr<f32>, n: i32): void {
  for (let i: i32 = 0; i < n; i += 16) {
    f32x16.store(x, i, f32x16.add(f32x16.load(x, i), f32x16.load(y, i)));
  }
}
