/** Builtins of single numbers. */

import type { FloatType, IntegerType } from '../types.ts';
import { fusedMultiplyAdd } from './fma.ts';
import { type Intrinsic, isSigned, type Use } from './intrinsic.ts';

/** A helper named after its type, `i32_clz`, with the body of one function of x (and y). */
function perType(use: Use, name: string, parameters: string[], body: string): string {
  const type = use.c(use.types[0]);
  const list = parameters.map((parameter) => `${type} ${parameter}`).join(', ');
  const helper = use.helper(
    `${type}_${name}`,
    `HELPER ${type} ${type}_${name}(${list}) { ${body} }`,
  );
  return `${helper}(${use.args.join(', ')})`;
}

/** clang's builtin of that name for f32 or f64: floorf, floor. */
const floatBuiltin = (name: string) => (use: Use) =>
  `__builtin_${name}${(use.types[0] as FloatType).bits === 32 ? 'f' : ''}(${use.args.join(', ')})`;

const bitsOf = (use: Use) => use.bits(use.types[0] as IntegerType);

/** The argument as u32 or u64 with zeros above, which is what clang's bit builtins count. */
function unsigned(use: Use, name: string): string {
  const bits = bitsOf(use);
  return bits === 64 ? `__builtin_${name}ll((u64)x)` : `__builtin_${name}((u${bits})x)`;
}

const float = (name: string, parameters: string[], c = floatBuiltin(name)): Intrinsic => ({
  name: name === 'roundeven' ? 'nearest' : name,
  generic: true,
  of: 'float',
  parameters,
  result: 'T',
  effect: 'none',
  c,
});

const integer = (name: string, parameters: string[], c: (use: Use) => string): Intrinsic => ({
  name,
  generic: true,
  of: 'integer',
  parameters,
  result: 'T',
  effect: 'none',
  c,
});

const rotate = (use: Use, direction: 'left' | 'right') => {
  const bits = bitsOf(use);
  const type = use.c(use.types[0]);
  return `(${type})__builtin_rotate${direction}${bits}(${use.args[0]}, ${use.args[1]})`;
};

export const arithmetic: Intrinsic[] = [
  {
    name: 'abs',
    generic: true,
    of: 'number',
    parameters: ['T'],
    result: 'T',
    effect: 'none',
    c: (use) => {
      const [type] = use.types;
      if (type.kind === 'float') return floatBuiltin('fabs')(use);
      if (!isSigned(type)) return `(${use.c(type)})(${use.args[0]})`;
      return perType(use, 'abs', ['x'], `return x < 0 ? (${use.c(type)})-x : x;`);
    },
  },
  {
    name: 'min',
    generic: true,
    of: 'number',
    parameters: ['T', 'T'],
    result: 'T',
    effect: 'none',
    c: (use) => perType(use, 'min', ['a', 'b'], 'return a < b ? a : b;'),
  },
  {
    name: 'max',
    generic: true,
    of: 'number',
    parameters: ['T', 'T'],
    result: 'T',
    effect: 'none',
    c: (use) => perType(use, 'max', ['a', 'b'], 'return a > b ? a : b;'),
  },
  integer('clz', ['T'], (use) => {
    const bits = bitsOf(use);
    const spare = bits < 32 ? ` - ${32 - bits}` : '';
    return perType(use, 'clz', ['x'], `return x == 0 ? ${bits} : ${unsigned(use, 'clz')}${spare};`);
  }),
  integer('ctz', ['T'], (use) =>
    perType(use, 'ctz', ['x'], `return x == 0 ? ${bitsOf(use)} : ${unsigned(use, 'ctz')};`),
  ),
  integer('popcnt', ['T'], (use) =>
    perType(use, 'popcnt', ['x'], `return ${unsigned(use, 'popcount')};`),
  ),
  integer('rotl', ['T', 'T'], (use) => rotate(use, 'left')),
  integer('rotr', ['T', 'T'], (use) => rotate(use, 'right')),
  // elementwise: never sets errno, whatever the flags
  float('sqrt', ['T'], (use) => `__builtin_elementwise_sqrt(${use.args[0]})`),
  float('floor', ['T']),
  float('ceil', ['T']),
  float('trunc', ['T']),
  float('roundeven', ['T']),
  float('copysign', ['T', 'T']),
  float('fma', ['T', 'T', 'T'], (use) => fusedMultiplyAdd(use, use.types[0])),
  {
    name: 'isNaN',
    generic: true,
    of: 'float',
    parameters: ['T'],
    result: 'bool',
    effect: 'none',
    c: (use) => `__builtin_isnan(${use.args[0]})`,
  },
  {
    name: 'select',
    generic: true,
    parameters: ['T', 'T', 'bool'],
    result: 'T',
    effect: 'none',
    c: (use) => {
      const type = use.c(use.types[0]);
      const name = `select_${use.mangle(use.types[0])}`;
      const text = `HELPER ${type} ${name}(${type} a, ${type} b, bool c) { return c ? a : b; }`;
      return `${use.helper(name, text)}(${use.args.join(', ')})`;
    },
  },
  {
    name: 'reinterpret',
    generic: true,
    of: 'number',
    parameters: ['any'],
    result: 'T',
    effect: 'none',
    c: (use) => {
      const to = use.c(use.types[0]);
      const from = use.c(use.argTypes[0]);
      if (use.types[0].kind === 'integer' && use.argTypes[0].kind === 'integer') {
        return `(${to})${use.args[0]}`;
      }
      const name = `${to}_reinterpret_${from}`;
      const body = `${to} r; __builtin_memcpy(&r, &x, sizeof r); return r;`;
      return `${use.helper(name, `HELPER ${to} ${name}(${from} x) { ${body} }`)}(${use.args[0]})`;
    },
  },
];
