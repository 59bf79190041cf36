/** Vector operations as guest source, each with what it must give by a scalar definition. */

import { exactFma, halfToNumber, nearest } from './rounding.ts';
import { FLOATS, INTEGERS, type TestType, wrapTo } from './types.ts';

type Value = number | bigint;

export interface VectorCase {
  name: string;
  /** element types of the inputs a, b, c and of the output; each input has BYTES bytes */
  inputs: [string, string, string];
  output: string;
  /** body of a function of (a, b, c, out) */
  source: string;
  expected: (a: Value[], b: Value[], c: Value[]) => Value[];
}

/** Size of one input. */
export const BYTES = 512;

const TYPES = new Map([...INTEGERS, ...FLOATS].map((type) => [type.name, type]));
export const typeNamed = (name: string) => TYPES.get(name) as TestType;

const float = Math.fround;

function rounded(type: string, value: Value): Value {
  const t = typeNamed(type);
  if (t.kind === 'float') return t.bits === 32 ? float(Number(value)) : Number(value);
  return wrapTo(t, BigInt(value));
}

/** out[i] = operation(a[i], b[i], c[i]) for every element. */
function lanewise(
  vector: string,
  name: string,
  call: string,
  operation: (a: never, b: never, c: never) => Value,
): VectorCase {
  const [element, lanes] = vector.split('x');
  const text = call.replace(/\b([abc])\b/g, `${vector}.load($1, i)`);
  return {
    name: `${vector}.${name}`,
    inputs: [element, element, element],
    output: element,
    source: `for (let i: i32 = 0; i < ${(BYTES * 8) / typeNamed(element).bits}; i += ${lanes}) ${vector}.store(out, i, ${text});`,
    expected: (a, b, c) =>
      a.map((x, i) => rounded(element, operation(x as never, b[i] as never, c[i] as never))),
  };
}

/** out[k] = one value per vector. */
function reduced(vector: string, name: string, operation: (lanes: Value[]) => Value): VectorCase {
  const [element, text] = vector.split('x');
  const lanes = Number(text);
  const count = (BYTES * 8) / typeNamed(element).bits / lanes;
  return {
    name: `${vector}.${name}`,
    inputs: [element, element, element],
    output: element,
    source: `for (let i: i32 = 0; i < ${count}; i++) out[i] = ${vector}.${name}(${vector}.load(a, i * ${lanes}));`,
    expected: (a) =>
      Array.from({ length: count }, (_, i) => operation(a.slice(i * lanes, (i + 1) * lanes))),
  };
}

/** The tree of docs/language.md: the upper half onto the lower half. */
function tree(values: Value[], combine: (low: Value, high: Value) => Value): Value {
  let lanes = values;
  while (lanes.length > 1) {
    const half = lanes.length / 2;
    lanes = lanes.slice(0, half).map((low, i) => combine(low, lanes[half + i]));
  }
  return lanes[0];
}

function dots(lanes: number): VectorCase {
  const v = `i32x${lanes}`;
  const bytes = lanes * 4;
  const a = `u8x${bytes}.load(b, i * 4)`;
  return {
    name: `${v}.dot`,
    inputs: ['i32', 'u8', 'i8'],
    output: 'i32',
    source: `for (let i: i32 = 0; i < ${BYTES / 4}; i += ${lanes}) ${v}.store(out, i, ${v}.dot(${v}.load(a, i), ${a}, i8x${bytes}.load(c, i * 4)));`,
    expected: (acc, x, y) =>
      acc.map((start, n) => {
        let sum = BigInt(start);
        for (let k = 4 * n; k < 4 * n + 4; k++) sum += BigInt(x[k]) * BigInt(y[k]);
        return rounded('i32', sum);
      }),
  };
}

function pairDots(lanes: number): VectorCase {
  const v = `i16x${lanes}`;
  const bytes = lanes * 2;
  const a = `u8x${bytes}.and(u8x${bytes}.load(a, i * 2), u8x${bytes}.splat(127))`;
  return {
    name: `${v}.pairDot`,
    inputs: ['u8', 'i8', 'i8'],
    output: 'i16',
    source: `for (let i: i32 = 0; i < ${BYTES / 2}; i += ${lanes}) ${v}.store(out, i, ${v}.pairDot(${a}, i8x${bytes}.load(b, i * 2)));`,
    expected: (x, y) =>
      Array.from({ length: BYTES / 2 }, (_, n) => {
        const product = (k: number) => (BigInt(x[k]) & 127n) * BigInt(y[k]);
        return product(2 * n) + product(2 * n + 1);
      }),
  };
}

function dot2s(lanes: number): VectorCase {
  const v = `i32x${lanes}`;
  const words = (name: string) => `i16x${lanes * 2}.load(${name}, i * 2)`;
  return {
    name: `${v}.dot2`,
    inputs: ['i16', 'i16', 'i16'],
    output: 'i32',
    source: `for (let i: i32 = 0; i < ${BYTES / 4}; i += ${lanes}) ${v}.store(out, i, ${v}.dot2(${words('a')}, ${words('b')}));`,
    expected: (x, y) =>
      Array.from({ length: BYTES / 4 }, (_, n) => {
        const product = (k: number) => BigInt(x[k]) * BigInt(y[k]);
        return rounded('i32', product(2 * n) + product(2 * n + 1));
      }),
  };
}

function signs(lanes: number): VectorCase {
  const vector = `i8x${lanes}`;
  return lanewise(vector, 'applySign', `${vector}.applySign(a, b)`, (a: bigint, b: bigint) =>
    b > 0n ? a : b < 0n ? -a : 0n,
  );
}

function arithmetic(vector: string): VectorCase[] {
  const [element] = vector.split('x');
  const type = typeNamed(element);
  const v = (call: string) => `${vector}.${call}`;
  const bits = BigInt(type.bits);
  return [
    lanewise(vector, 'add', v('add(a, b)'), (a: bigint, b: bigint) => a + b),
    lanewise(vector, 'sub', v('sub(a, b)'), (a: bigint, b: bigint) => a - b),
    lanewise(vector, 'mul', v('mul(a, b)'), (a: bigint, b: bigint) => a * b),
    lanewise(vector, 'min', v('min(a, b)'), (a: bigint, b: bigint) => (a < b ? a : b)),
    lanewise(vector, 'max', v('max(a, b)'), (a: bigint, b: bigint) => (a > b ? a : b)),
    lanewise(vector, 'neg', v('neg(a)'), (a: bigint) => -a),
    lanewise(vector, 'abs', v('abs(a)'), (a: bigint) => (a < 0n ? -a : a)),
    lanewise(vector, 'and', v('and(a, b)'), (a: bigint, b: bigint) => a & b),
    lanewise(vector, 'or', v('or(a, b)'), (a: bigint, b: bigint) => a | b),
    lanewise(vector, 'xor', v('xor(a, b)'), (a: bigint, b: bigint) => a ^ b),
    lanewise(vector, 'shl', v('shl(a, 3)'), (a: bigint) => a << 3n),
    lanewise(vector, 'shr', v(`shr(a, ${type.bits + 2})`), (a: bigint) => a >> 2n),
    lanewise(vector, 'select', v(`select(a, b, ${vector}.less(a, b))`), (a: bigint, b: bigint) =>
      a < b ? a : b,
    ),
    reduced(vector, 'sum', (lanes) =>
      rounded(
        element,
        tree(lanes, (a, b) => BigInt.asIntN(Number(bits) * 2, BigInt(a) + BigInt(b))),
      ),
    ),
    reduced(vector, 'maxLane', (lanes) => tree(lanes, (a, b) => (a > b ? a : b))),
  ];
}

function floats(vector: string): VectorCase[] {
  const [element] = vector.split('x') as ['f32' | 'f64'];
  const v = (call: string) => `${vector}.${call}`;
  return [
    lanewise(vector, 'add', v('add(a, b)'), (a: number, b: number) => a + b),
    lanewise(vector, 'sub', v('sub(a, b)'), (a: number, b: number) => a - b),
    lanewise(vector, 'mul', v('mul(a, b)'), (a: number, b: number) => a * b),
    lanewise(vector, 'div', v('div(a, b)'), (a: number, b: number) => a / b),
    lanewise(vector, 'min', v('min(a, b)'), (a: number, b: number) => (a < b ? a : b)),
    lanewise(vector, 'max', v('max(a, b)'), (a: number, b: number) => (a > b ? a : b)),
    lanewise(vector, 'scale', v('scale(a, b[3])').replace('b[3]', '2.5'), (a: number) => a * 2.5),
    lanewise(vector, 'abs', v('abs(a)'), (a: number) => Math.abs(a)),
    lanewise(vector, 'neg', v('neg(a)'), (a: number) => -a),
    lanewise(vector, 'nearest', v('nearest(a)'), (a: number) => nearest(a)),
    lanewise(vector, 'fma', v('fma(a, b, c)'), (a: number, b: number, c: number) =>
      exactFma(a, b, c, element),
    ),
    reduced(vector, 'sum', (lanes) =>
      tree(lanes, (a, b) => rounded(element, Number(a) + Number(b))),
    ),
  ];
}

/** Of single numbers; also where the sum nearly cancels. */
function singleFma(type: 'f32' | 'f64'): VectorCase[] {
  const fused = (name: string, c: string, addend: (a: number, b: number, c: number) => number) => ({
    name: `${type} ${name}`,
    inputs: [type, type, type] as [string, string, string],
    output: type,
    source: `for (let i: i32 = 0; i < ${BYTES / (type === 'f32' ? 4 : 8)}; i++) out[i] = fma(a[i], b[i], ${c});`,
    expected: (a: Value[], b: Value[], c: Value[]) =>
      a.map((_, i) => {
        const [x, y, z] = [a[i], b[i], c[i]].map(Number);
        return exactFma(x, y, addend(x, y, z), type);
      }),
  });
  return [
    fused('fma', 'c[i]', (_a, _b, c) => c),
    fused('cancelling fma', '-(a[i] * b[i])', (a, b) => Number(rounded(type, -(a * b)))),
  ];
}

const halves: VectorCase = {
  name: 'f32x8.loadF16 of every half',
  inputs: ['u16', 'u16', 'u16'],
  output: 'f32',
  source:
    'const h = zeroed<FixedArray<u16, 8>>(); ' +
    'for (let i: i32 = 0; i < 65536; i += 8) { for (let k: i32 = 0; k < 8; k++) h[k] = u16(i + k); f32x8.store(out, i, f32x8.loadF16(ref(h[0]))); }',
  expected: () => Array.from({ length: 65536 }, (_, i) => halfToNumber(i)),
};

/**
 * Between every two neighbouring halves: the middle, the f32 below it, the one above it, and the
 * middle's negative.
 */
const roundedHalves: VectorCase = {
  name: 'f32x4.storeF16 around every tie',
  inputs: ['u16', 'u16', 'u16'],
  output: 'u16',
  source:
    'const h = zeroed<FixedArray<u16, 2>>(); const steps = zeroed<FixedArray<i32, 4>>(); ' +
    'steps[1] = -1; steps[2] = 1; steps[3] = -2147483648; ' +
    'for (let i: i32 = 0; i < 0x7c00; i++) { ' +
    'h[0] = u16(i); h[1] = u16(i + 1); const ends = f32x2.loadF16(ref(h[0])); ' +
    'const high: f32 = i == 0x7bff ? 65536 : f32x2.lane(ends, 1); ' +
    'const middle: f32 = (f32x2.lane(ends, 0) + high) / 2; ' +
    'const bits = i32x4.add(i32x4.reinterpret(f32x4.splat(middle)), i32x4.load(ref(steps[0]))); ' +
    'f32x4.storeF16(out, i * 4, f32x4.reinterpret(bits)); }',
  expected: () =>
    Array.from({ length: 0x7c00 }, (_, i) => {
      const even = i + (i & 1);
      return [even, i, i + 1, 0x8000 + even].map(BigInt);
    }).flat(),
};

const bfloats: VectorCase = {
  name: 'f32x4.loadBF16',
  inputs: ['u16', 'u16', 'u16'],
  output: 'u32',
  source: `for (let i: i32 = 0; i < ${BYTES / 2}; i += 4) u32x4.store(out, i, u32x4.reinterpret(f32x4.loadBF16(a, i)));`,
  expected: (a) => a.map((x) => BigInt(x) << 16n),
};

const conversions: VectorCase[] = [
  {
    name: 'i32x16.convert(i8x16), f32x16.convert(i32x16)',
    inputs: ['i8', 'i8', 'i8'],
    output: 'f32',
    source: `for (let i: i32 = 0; i < ${BYTES}; i += 16) f32x16.store(out, i, f32x16.convert(i32x16.convert(i8x16.load(a, i))));`,
    expected: (a) => a.map(Number),
  },
  {
    name: 'i8x8.convert(i32x8): the low bits',
    inputs: ['i32', 'i32', 'i32'],
    output: 'i8',
    source: `for (let i: i32 = 0; i < ${BYTES / 4}; i += 8) i8x8.store(out, i, i8x8.convert(i32x8.load(a, i)));`,
    expected: (a) => a.map((x) => rounded('i8', x)),
  },
  {
    name: 'i32x4.convert(f32x4) of what fits, lanes',
    inputs: ['i32', 'i32', 'i32'],
    output: 'i32',
    source:
      `for (let i: i32 = 0; i < ${BYTES / 4}; i += 4) { ` +
      'const f = f32x4.convert(i32x4.shr(i32x4.load(a, i), 10)); ' +
      'const v = i32x4.convert(f32x4.add(f, f32x4.splat(0.75))); ' +
      'i32x4.store(out, i, v); out[i] = i32x4.lane(v, 2); }',
    expected: (a) => {
      const out: Value[] = [];
      for (let i = 0; i < a.length; i += 4) {
        const v = a
          .slice(i, i + 4)
          .map((x) => BigInt(Math.trunc(float(Number(BigInt(x) >> 10n) + 0.75))));
        out.push(v[2], v[1], v[2], v[3]);
      }
      return out;
    },
  },
];

export const VECTOR_CASES: VectorCase[] = [
  ...['i8x16', 'u8x32', 'i16x8', 'u16x16', 'i32x16', 'u32x4', 'i64x2', 'u64x8'].flatMap(arithmetic),
  ...['f32x4', 'f32x16', 'f64x2', 'f64x8'].flatMap(floats),
  ...(['f32', 'f64'] as const).flatMap(singleFma),
  ...[2, 4, 8, 16].map(dots),
  ...[2, 8, 16, 32].map(pairDots),
  ...[2, 4, 8, 16].map(dot2s),
  ...[8, 16, 32, 64].map(signs),
  halves,
  roundedHalves,
  bfloats,
  ...conversions,
];
