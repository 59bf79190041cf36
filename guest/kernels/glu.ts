import { IS_GELU } from 'model';
import { exp16 } from './math.ts';

/**
 * gate[n] = silu(gate[n]) · up[n], silu(x) = x / (1 + e^-x), n a multiple of 16. Shazeer 2020, eq.
 * 6. Where IS_GELU, gelu in place of silu.
 */
export function glu(gate: Ptr<f32>, up: Ptr<f32>, n: i32): void {
  for (let i: i32 = 0; i < n; i += 16) {
    const x = f32x16.load(gate, i);
    let exponent = x;
    if (IS_GELU) exponent = geluExponent(x);
    const activated = f32x16.div(x, f32x16.add(f32x16.splat(1), exp16(f32x16.neg(exponent))));
    f32x16.store(gate, i, f32x16.mul(activated, f32x16.load(up, i)));
  }
}

const GELU_LINEAR: f32 = 1.5957691216057308; // 2 · √(2 / π)
const GELU_CUBIC: f32 = 0.07135481627159; // the same · 0.044715

/**
 * gelu(x) = x / (1 + e^-y) for this y: ½ · (1 + tanh(y / 2)) is 1 / (1 + e^-y). Hendrycks & Gimpel
 * 2016, §2. @inline
 */
function geluExponent(x: f32x16): f32x16 {
  const square = f32x16.mul(x, x);
  const slope = f32x16.fma(square, f32x16.splat(GELU_CUBIC), f32x16.splat(GELU_LINEAR));
  return f32x16.mul(x, slope);
}
