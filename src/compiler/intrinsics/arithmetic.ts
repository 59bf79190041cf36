/** Builtins of single numbers. */

import type { FloatType, IntegerType } from '../types.ts';
import type { Intrinsic, Use } from './intrinsic.ts';

/** A helper named after its type, `i32_min`, with the body of one function. */
function perType(use: Use, name: string, parameters: string[], body: string): string {
  const type = use.c(use.types[0]);
  const list = parameters.map((parameter) => `${type} ${parameter}`).join(', ');
  const helper = use.helper(
    `${type}_${name}`,
    `HELPER ${type} ${type}_${name}(${list}) { ${body} }`,
  );
  return `${helper}(${use.args.join(', ')})`;
}

const choose = (name: string, operator: string): Intrinsic => ({
  name,
  generic: true,
  of: 'number',
  parameters: ['T', 'T'],
  result: 'T',
  effect: 'none',
  c: (use) => perType(use, name, ['a', 'b'], `return a ${operator} b ? a : b;`),
});

const bitsOf = (use: Use) => use.bits(use.types[0] as IntegerType);

/** The argument as u32 or u64 with zeros above, which is what clang's bit builtins count. */
function unsigned(use: Use, name: string): string {
  const bits = bitsOf(use);
  return bits === 64 ? `__builtin_${name}ll((u64)x)` : `__builtin_${name}((u${bits})x)`;
}

const integer = (name: string, parameters: string[], c: (use: Use) => string): Intrinsic => ({
  name,
  generic: true,
  of: 'integer',
  parameters,
  result: 'T',
  effect: 'none',
  c,
});

const float = (name: string, parameters: string[], c: (use: Use) => string): Intrinsic => ({
  name,
  generic: true,
  of: 'float',
  parameters,
  result: 'T',
  effect: 'none',
  c,
});

export const arithmetic: Intrinsic[] = [
  choose('min', '<'),
  choose('max', '>'),
  integer('ctz', ['T'], (use) =>
    perType(use, 'ctz', ['x'], `return x == 0 ? ${bitsOf(use)} : ${unsigned(use, 'ctz')};`),
  ),
  integer('popcnt', ['T'], (use) =>
    perType(use, 'popcnt', ['x'], `return ${unsigned(use, 'popcount')};`),
  ),
  integer('rotr', ['T', 'T'], (use) => {
    const [x, count] = use.args;
    return `(${use.c(use.types[0])})__builtin_rotateright${bitsOf(use)}(${x}, ${count})`;
  }),
  // elementwise: never sets errno, whatever the flags
  float('sqrt', ['T'], (use) => `__builtin_elementwise_sqrt(${use.args[0]})`),
  float('nearest', ['T'], (use) => {
    const suffix = (use.types[0] as FloatType).bits === 32 ? 'f' : '';
    return `__builtin_roundeven${suffix}(${use.args[0]})`;
  }),
  float('fma', ['T', 'T', 'T'], (use) => `__builtin_elementwise_fma(${use.args.join(', ')})`),
];
