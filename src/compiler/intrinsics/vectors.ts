/**
 * Operations of vector types: V.name(…). Lane by lane in clang's vector extensions, which splits
 * wide ones on narrow machines.
 */

import type { IntegerType, VectorType } from '../types.ts';
import { dot } from './dot.ts';
import { type Intrinsic, isSigned, type Use } from './intrinsic.ts';
import { applySign, dot2, pairDot } from './pairs.ts';

const vectorOf = (use: Use) => use.types[0] as VectorType;

/** A helper named `f32x16_min`, of parameters V a, V b, … */
function perVector(
  use: Use,
  name: string,
  result: string,
  parameters: string,
  body: string,
  args = use.args,
): string {
  const type = use.c(vectorOf(use));
  const helper = `${type}_${name}`;
  use.helper(helper, `VECTOR_HELPER ${result} ${helper}(${parameters}) { ${body} }`);
  return `${helper}(${args.join(', ')})`;
}

const infix = (name: string, operator: string, of?: Intrinsic['of']): Intrinsic => ({
  name,
  of,
  parameters: ['V', 'V'],
  result: 'V',
  effect: 'none',
  c: (use) => `(${use.args[0]} ${operator} ${use.args[1]})`,
});

const choose = (name: string, operator: string): Intrinsic => ({
  name,
  parameters: ['V', 'V'],
  result: 'V',
  effect: 'none',
  c: (use) => {
    const type = use.c(vectorOf(use));
    return perVector(use, name, type, `${type} a, ${type} b`, `return a ${operator} b ? a : b;`);
  },
});

/**
 * V → E by a fixed tree: the upper half is combined onto the lower half until one lane is left.
 * `step` combines lower a and upper b. 16 lanes: 16 → 8 → 4 → 2 → 1.
 */
const reduction = (name: string, step: (a: string, b: string) => string): Intrinsic => ({
  name,
  parameters: ['V'],
  result: 'E',
  effect: 'none',
  c: (use) => {
    const { element, lanes } = vectorOf(use);
    const e = use.c(element);
    const lines: string[] = [];
    let from = 'v';
    for (let n = lanes / 2; n >= 2; n /= 2) {
      const half = use.c(use.vector(element.name, n));
      lines.push(`${half} v${n} = ${step(`${from}.lo`, `${from}.hi`)};`);
      from = `v${n}`;
    }
    lines.push(`return (${e})(${step(`${from}[0]`, `${from}[1]`)});`);
    return perVector(use, name, e, `${use.c(vectorOf(use))} v`, lines.join(' '));
  },
});

const compare = (name: string, operator: string): Intrinsic => ({
  name,
  parameters: ['V', 'V'],
  result: 'M',
  effect: 'none',
  c: (use) => `(${use.c(use.result)})(${use.args[0]} ${operator} ${use.args[1]})`,
});

/** Every lane by one count, modulo the lane's width. */
const shift = (name: string, operator: string): Intrinsic => ({
  name,
  of: 'integer',
  parameters: ['V', 'index'],
  result: 'V',
  effect: 'none',
  c: (use) => {
    const { element } = vectorOf(use);
    const e = use.c(element);
    const type = use.c(vectorOf(use));
    const count =
      use.constants[1] === undefined
        ? `(${e})(${use.args[1]} & ${element.bits - 1})`
        : `(${e})${use.constants[1] & BigInt(element.bits - 1)}`;
    return `(${use.args[0]} ${operator} (${type})${count})`;
  },
});

/** `p + i`, checked for null */
function place(use: Use): string {
  let [p] = use.args;
  const i = use.args[1];
  if (use.checked) {
    use.helper('nonnull', '');
    p = `(${use.c(use.argTypes[0])})nonnull(${p}, ${use.site()})`;
  }
  return i === undefined || i === '0' ? p : `${p} + ${i}`;
}

function loadF16(use: Use): string {
  const type = use.c(vectorOf(use));
  const { lanes } = vectorOf(use);
  const half = use.c(use.vector('u16', lanes));
  const words = use.c(use.vector('u32', lanes));
  // Plain: the exponent moves by a multiplication with 2^112, which is exact for subnormal halves
  // too.
  const text = `#if defined(__F16C__) || defined(__AVX512F__) || defined(__aarch64__)
VECTOR_HELPER ${type} ${type}_loadF16(const u16 *p) {
  typedef _Float16 halves __attribute__((ext_vector_type(${lanes})));
  halves h;
  __builtin_memcpy(&h, p, sizeof h);
  return __builtin_convertvector(h, ${type});
}
#else
VECTOR_HELPER ${type} ${type}_loadF16(const u16 *p) {
  ${half} h;
  __builtin_memcpy(&h, p, sizeof h);
  ${words} w = __builtin_convertvector(h, ${words});
  ${words} sign = (w & 0x8000) << 16, rest = (w & 0x7fff) << 13;
  ${words} finite = (${words})((${type})rest * (f32)0x1p112f);
  ${words} special = rest | 0x7f800000 | ((${words})(rest > 0xf800000) & 0x400000);
  ${words} isSpecial = (${words})(rest >= 0xf800000);
  return (${type})(sign | (special & isSpecial) | (finite & ~isSpecial));
}
#endif`;
  return `${use.helper(`${type}_loadF16`, text)}(${place(use)})`;
}

/**
 * To the nearest half, ties to even. Plain: what rounds a subnormal is an addition, what rounds a
 * normal number a carry.
 */
function storeF16(use: Use): string {
  const type = use.c(vectorOf(use));
  const { lanes } = vectorOf(use);
  const half = use.c(use.vector('u16', lanes));
  const words = use.c(use.vector('u32', lanes));
  const text = `#if defined(__F16C__) || defined(__AVX512F__) || defined(__aarch64__)
VECTOR_HELPER void ${type}_storeF16(u16 *p, ${type} v) {
  typedef _Float16 halves __attribute__((ext_vector_type(${lanes})));
  halves h = __builtin_convertvector(v, halves);
  __builtin_memcpy(p, &h, sizeof h);
}
#else
VECTOR_HELPER void ${type}_storeF16(u16 *p, ${type} v) {
  ${words} w = (${words})v, rest = w & 0x7fffffff, sign = (w & 0x80000000) >> 16;
  ${words} subnormal = (${words})((${type})rest + (f32)0.5f) - 0x3f000000;
  ${words} normal = (rest - 0x38000000 + 0xfff + ((rest >> 13) & 1)) >> 13;
  ${words} isSmall = (${words})(rest < 0x38800000), isLarge = (${words})(rest >= 0x477ff000);
  ${words} isNaN = (${words})(rest > 0x7f800000);
  ${words} large = 0x7c00 | (isNaN & (0x200 | ((rest >> 13) & 0x3ff)));
  ${words} r = sign | (subnormal & isSmall) | (large & isLarge) | (normal & ~isSmall & ~isLarge);
  ${half} h = __builtin_convertvector(r, ${half});
  __builtin_memcpy(p, &h, sizeof h);
}
#endif`;
  return `${use.helper(`${type}_storeF16`, text)}(${place(use)}, ${use.args[2]})`;
}

function loadBF16(use: Use): string {
  const type = use.c(vectorOf(use));
  const half = use.c(use.vector('u16', vectorOf(use).lanes));
  const words = use.c(use.vector('u32', vectorOf(use).lanes));
  const body = `${half} h; __builtin_memcpy(&h, p, sizeof h); return (${type})(__builtin_convertvector(h, ${words}) << 16);`;
  return perVector(use, 'loadBF16', type, 'const u16 *p', body, [place(use)]);
}

/** Value by value. A checked build looks at every lane of a float before it becomes an integer. */
function convert(use: Use): string {
  const to = vectorOf(use);
  const from = use.argTypes[0] as VectorType;
  const plain = `__builtin_convertvector(${use.args[0]}, ${use.c(to)})`;
  if (!use.checked || from.element.kind !== 'float' || to.element.kind !== 'integer') return plain;
  const { min, max } = bounds(to.element);
  const name = `${use.c(to)}_convert_${use.c(from)}`;
  const text = `static ${use.c(to)} ${name}(${use.c(from)} v, const string *file, i32 line) {
  for (i32 i = 0; i < ${from.lanes}; i++) {
    if (!(v[i] > ${min} && v[i] < ${max})) panic_at(TEXT("value does not fit in ${to.element.name}"), file, line);
  }
  return __builtin_convertvector(v, ${use.c(to)});
}`;
  return `${use.helper(name, text)}(${use.args[0]}, ${use.site()})`;
}

/** Exclusive bounds of the floats that truncate into the type: exact in f64. */
function bounds(type: IntegerType): { min: string; max: string } {
  const min = type.signed ? `-0x1p${type.bits - 1}` : '0x0p0';
  const below = type.bits === 64 && type.signed ? '-0x1.0000000000001p63' : `${min} - 1`;
  return { min: below, max: type.signed ? `0x1p${type.bits - 1}` : `0x1p${type.bits}` };
}

export const vectors: Intrinsic[] = [
  {
    name: 'splat',
    parameters: ['E'],
    result: 'V',
    effect: 'none',
    c: (use) => `(${use.c(vectorOf(use))})(${use.args[0]})`,
  },
  {
    name: 'load',
    parameters: ['pE', 'index'],
    optional: 1,
    result: 'V',
    effect: 'reads',
    c: (use) => {
      const type = use.c(vectorOf(use));
      const body = `${type} v; __builtin_memcpy(&v, p, sizeof v); return v;`;
      const e = use.c(vectorOf(use).element);
      return perVector(use, 'load', type, `const ${e} *p`, body, [place(use)]);
    },
  },
  {
    name: 'store',
    parameters: ['pE', 'index', 'V'],
    result: 'void',
    effect: 'writes',
    c: (use) => {
      const type = use.c(vectorOf(use));
      const e = use.c(vectorOf(use).element);
      const body = `__builtin_memcpy(p, &v, sizeof v);`;
      return perVector(use, 'store', 'void', `${e} *p, ${type} v`, body, [place(use), use.args[2]]);
    },
  },
  infix('add', '+'),
  infix('sub', '-'),
  infix('mul', '*'),
  infix('div', '/', 'float'),
  infix('and', '&', 'integer'),
  infix('or', '|', 'integer'),
  infix('xor', '^', 'integer'),
  choose('min', '<'),
  choose('max', '>'),
  {
    name: 'neg',
    parameters: ['V'],
    result: 'V',
    effect: 'none',
    c: (use) => `(-${use.args[0]})`,
  },
  {
    name: 'abs',
    parameters: ['V'],
    result: 'V',
    effect: 'none',
    c: (use) => {
      const { element } = vectorOf(use);
      if (element.kind === 'integer' && !isSigned(element)) return use.args[0];
      return `__builtin_elementwise_abs(${use.args[0]})`;
    },
  },
  shift('shl', '<<'),
  shift('shr', '>>'),
  {
    name: 'scale',
    parameters: ['V', 'E'],
    result: 'V',
    effect: 'none',
    c: (use) => `(${use.args[0]} * (${use.c(vectorOf(use))})(${use.args[1]}))`,
  },
  {
    name: 'fma',
    of: 'float',
    parameters: ['V', 'V', 'V'],
    result: 'V',
    effect: 'none',
    c: (use) => `__builtin_elementwise_fma(${use.args.join(', ')})`,
  },
  {
    name: 'nearest',
    of: 'float',
    parameters: ['V'],
    result: 'V',
    effect: 'none',
    c: (use) => `__builtin_elementwise_roundeven(${use.args[0]})`,
  },
  reduction('sum', (a, b) => `${a} + ${b}`),
  reduction('maxLane', (a, b) => `${a} > ${b} ? ${a} : ${b}`),
  { name: 'convert', parameters: ['W'], result: 'V', effect: 'none', c: convert },
  {
    name: 'reinterpret',
    parameters: ['W'],
    result: 'V',
    effect: 'none',
    c: (use) => `((${use.c(vectorOf(use))})${use.args[0]})`,
  },
  {
    name: 'lane',
    parameters: ['V', 'constant'],
    result: 'E',
    effect: 'none',
    c: (use) => `${use.args[0]}[${use.constants[1]}]`,
  },
  compare('less', '<'),
  compare('equal', '=='),
  {
    name: 'select',
    parameters: ['V', 'V', 'M'],
    result: 'V',
    effect: 'none',
    c: (use) => {
      const type = use.c(vectorOf(use));
      const mask = use.c(use.argTypes[2]);
      const body = `return (${type})((mask & (${mask})a) | (~mask & (${mask})b));`;
      return perVector(use, 'select', type, `${type} a, ${type} b, ${mask} mask`, body);
    },
  },
  {
    name: 'loadF16',
    of: 'f32',
    parameters: ['Ptr<u16>', 'index'],
    optional: 1,
    result: 'V',
    effect: 'reads',
    c: loadF16,
  },
  {
    name: 'storeF16',
    of: 'f32',
    parameters: ['Ptr<u16>', 'index', 'V'],
    result: 'void',
    effect: 'writes',
    c: storeF16,
  },
  {
    name: 'loadBF16',
    of: 'f32',
    parameters: ['Ptr<u16>', 'index'],
    optional: 1,
    result: 'V',
    effect: 'reads',
    c: loadBF16,
  },
  { name: 'dot', of: 'i32', parameters: ['V', 'U8', 'I8'], result: 'V', effect: 'none', c: dot },
  {
    name: 'pairDot',
    of: 'i16',
    parameters: ['U8', 'I8'],
    result: 'V',
    effect: 'none',
    c: pairDot,
  },
  { name: 'dot2', of: 'i32', parameters: ['I16', 'I16'], result: 'V', effect: 'none', c: dot2 },
  {
    name: 'applySign',
    of: 'i8',
    parameters: ['V', 'V'],
    result: 'V',
    effect: 'none',
    c: applySign,
  },
];
