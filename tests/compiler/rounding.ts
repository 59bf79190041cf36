/** Exact float arithmetic by BigInt, to hold the machine against. */

/** A finite f64 as mantissa · 2^exponent. */
function decompose(x: number): { mantissa: bigint; exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const field = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const magnitude = field === 0 ? fraction : fraction | 0x10000000000000n;
  return { mantissa: bits >> 63n ? -magnitude : magnitude, exponent: Math.max(field, 1) - 1075 };
}

/** mantissa · 2^exponent rounded to nearest even, as f32 or f64. The mantissa is not 0. */
function round(mantissa: bigint, exponent: number, type: 'f32' | 'f64'): number {
  const [precision, lowest, highest] = type === 'f32' ? [24, -149, 127] : [53, -1074, 1023];
  const magnitude = mantissa < 0n ? -mantissa : mantissa;
  const bits = magnitude.toString(2).length;
  const unit = Math.max(exponent + bits - precision, lowest); // exponent of the last place
  const drop = unit - exponent;
  let kept = magnitude;
  if (drop > 0) {
    kept = magnitude >> BigInt(drop);
    const rest = magnitude - (kept << BigInt(drop));
    const half = 1n << BigInt(drop - 1);
    if (rest > half || (rest === half && (kept & 1n) === 1n)) kept += 1n;
  } else {
    kept = magnitude << BigInt(-drop);
  }
  const length = kept.toString(2).length;
  const sign = mantissa < 0n ? -1 : 1;
  if (kept > 0n && unit + length - 1 > highest) return sign * Number.POSITIVE_INFINITY;
  // kept has at most 53 bits: exact. 2^unit may be subnormal, so it is applied in two steps.
  return sign * (Number(kept) * 2 ** Math.max(unit, -1000)) * 2 ** Math.min(unit + 1000, 0);
}

/** a·b + c rounded once. */
export function exactFma(a: number, b: number, c: number, type: 'f32' | 'f64'): number {
  if (Number.isFinite(a) && Number.isFinite(b) && !Number.isFinite(c)) return c;
  if (![a, b, c].every(Number.isFinite) || a === 0 || b === 0) {
    const sum = a * b + c;
    return type === 'f32' ? Math.fround(sum) : sum;
  }
  const x = decompose(a);
  const y = decompose(b);
  const z = decompose(c);
  const product = x.mantissa * y.mantissa;
  const exponent = Math.min(x.exponent + y.exponent, z.exponent);
  const sum =
    (product << BigInt(x.exponent + y.exponent - exponent)) +
    (z.mantissa << BigInt(z.exponent - exponent));
  if (sum !== 0n) return round(sum, exponent, type);
  return product < 0n && Object.is(c, -0) ? -0 : 0;
}

/** Halves to even. */
export function nearest(x: number): number {
  if (!Number.isFinite(x) || Math.abs(x) >= 2 ** 52) return x;
  const low = Math.floor(x);
  const rest = x - low;
  const up = rest > 0.5 || (rest === 0.5 && low % 2 !== 0);
  const result = up ? low + 1 : low;
  return result === 0 && (x < 0 || Object.is(x, -0)) ? -0 : result;
}

/** IEEE 754 binary16, exactly. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
