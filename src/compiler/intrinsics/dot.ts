/**
 * The integer dot product of VNNI: each i32 lane adds four products u8·i8, by vpdpbusd (AVX-512
 * VNNI, AVX-VNNI) or plainly, with the same bits: products widened to 16 bits (255·-128 fits), sums
 * to 32, wrapping.
 */

import type { VectorType } from '../types.ts';
import type { Use } from './intrinsic.ts';

/** Where vpdpbusd is, by bytes of the vector. */
const MACROS: Record<number, string> = {
  64: 'defined(__AVX512VNNI__)',
  32: '(defined(__AVX512VNNI__) && defined(__AVX512VL__)) || defined(__AVXVNNI__)',
  16: '(defined(__AVX512VNNI__) && defined(__AVX512VL__)) || defined(__AVXVNNI__)',
};

export const dot = (use: Use) =>
  `${define(use, use.types[0] as VectorType)}(${use.args.join(', ')})`;

/** The helper of one type; what is wider than the machine's instruction is two halves. */
function define(use: Use, type: VectorType): string {
  const { lanes } = type;
  const bytes = lanes * 4;
  const v = use.c(type);
  const name = `${v}_dot`;
  const a = use.c(use.vector('u8', bytes));
  const b = use.c(use.vector('i8', bytes));
  const head = `VECTOR_HELPER ${v} ${name}(${v} acc, ${a} a, ${b} b)`;
  let without = plain(use, lanes);
  if (lanes > 4) {
    const half = define(use, use.vector('i32', lanes / 2));
    without = `${v} r; r.lo = ${half}(acc.lo, a.lo, b.lo); r.hi = ${half}(acc.hi, a.hi, b.hi); return r;`;
  }
  const macro = MACROS[bytes];
  if (macro === undefined) return use.helper(name, `${head} { ${without} }`);
  const words = (x: string) => `(int __attribute__((vector_size(${bytes}))))${x}`;
  const vnni = `(${v})__builtin_ia32_vpdpbusd${bytes * 8}(${words('acc')}, ${words('a')}, ${words('b')})`;
  return use.helper(
    name,
    `#if ${macro}\n${head} { return ${vnni}; }\n#else\n${head} { ${without} }\n#endif`,
  );
}

/** Products in 16 bits, neighbours added twice in 32. */
function plain(use: Use, lanes: number): string {
  const short = use.c(use.vector('i16', lanes * 4));
  const long = use.c(use.vector('i32', lanes * 4));
  const pairs = use.c(use.vector('i32', lanes * 2));
  return (
    `${long} products = __builtin_convertvector(__builtin_convertvector(a, ${short}) * __builtin_convertvector(b, ${short}), ${long}); ` +
    `${pairs} pairs = products.even + products.odd; return acc + (pairs.even + pairs.odd);`
  );
}
