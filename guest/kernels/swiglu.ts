import { exp16 } from './math.ts';

/**
 * gate[n] = silu(gate[n]) · up[n], silu(x) = x / (1 + e^-x), n a multiple of 16. Shazeer 2020, eq.
 * 6.
 */
export function swiglu(gate: Ptr<f32>, up: Ptr<f32>, n: i32): void {
  for (let i: i32 = 0; i < n; i += 16) {
    const x = f32x16.load(gate, i);
    const silu = f32x16.div(x, f32x16.add(f32x16.splat(1), exp16(f32x16.neg(x))));
    f32x16.store(gate, i, f32x16.mul(silu, f32x16.load(up, i)));
  }
}
