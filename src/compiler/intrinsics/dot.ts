/**
 * The integer dot product of the kernels: each i32 lane adds four products u8·i8. All ways give the same bits:
 *
 *   AVX-512 VNNI, AVX-VNNI   vpdpbusd: exact, wrapping
 *   SSSE3, AVX2, AVX-512BW   pmaddubsw adds pairs in 16 bits and saturates; 127·127·2 and 128·128·2 do not, so bytes up to
 *                            127 take one (dot7), and any byte two: its low seven bits, then its top bit
 *   anything else            products widened to 16 bits (255·-128 fits), sums to 32
 */

import type { VectorType } from '../types.ts';
import type { Use } from './intrinsic.ts';

/** The x86 builtins by bytes of the vector: of VNNI, of pmaddubsw and pmaddwd, and the macros that say they exist. */
const X86: Record<
  number,
  { vnni: string; vnniMacro: string; add: string; pairs: string; macro: string }
> = {
  64: {
    vnni: '__builtin_ia32_vpdpbusd512',
    vnniMacro: 'defined(__AVX512VNNI__)',
    add: '__builtin_ia32_pmaddubsw512',
    pairs: '__builtin_ia32_pmaddwd512',
    macro: 'defined(__AVX512BW__)',
  },
  32: {
    vnni: '__builtin_ia32_vpdpbusd256',
    vnniMacro: '(defined(__AVX512VNNI__) && defined(__AVX512VL__)) || defined(__AVXVNNI__)',
    add: '__builtin_ia32_pmaddubsw256',
    pairs: '__builtin_ia32_pmaddwd256',
    macro: 'defined(__AVX2__)',
  },
  16: {
    vnni: '__builtin_ia32_vpdpbusd128',
    vnniMacro: '(defined(__AVX512VNNI__) && defined(__AVX512VL__)) || defined(__AVXVNNI__)',
    add: '__builtin_ia32_pmaddubsw128',
    pairs: '__builtin_ia32_pmaddwd128',
    macro: 'defined(__SSSE3__)',
  },
};

export const dot = (use: Use) => call(use, define(use, use.types[0] as VectorType, 'dot'));
export const dot7 = (use: Use) => call(use, define(use, use.types[0] as VectorType, 'dot7'));

const call = (use: Use, name: string) => `${name}(${use.args.join(', ')})`;

function define(use: Use, type: VectorType, kind: 'dot' | 'dot7'): string {
  const { lanes } = type;
  const bytes = lanes * 4;
  const v = use.c(type);
  const u = use.c(use.vector('u8', bytes));
  const s = use.c(use.vector('i8', bytes));
  const name = `${v}_${kind}`;
  const head = `VECTOR_HELPER ${v} ${name}(${v} acc, ${u} a, ${s} b)`;
  const x86 = X86[bytes];
  // Wider than the machine: two halves.
  const halves = lanes > 4 ? define(use, use.vector('i32', lanes / 2), kind) : undefined;

  const branches: [string, string][] = [];
  if (x86 !== undefined) {
    const words = (x: string) => `(int __attribute__((vector_size(${bytes}))))${x}`;
    const chars = (x: string) => `(char __attribute__((vector_size(${bytes}))))${x}`;
    const shorts = `short __attribute__((vector_size(${bytes})))`;
    const vnni = `return (${v})${x86.vnni}(${words('acc')}, ${words('a')}, ${words('b')});`;
    branches.push([x86.vnniMacro, vnni]);
    const one = (a: string) =>
      `${x86.pairs}((${shorts})${x86.add}(${chars(a)}, ${chars('b')}), ones)`;
    const ones = `${shorts} ones = {} ; ones += 1;`;
    const body =
      kind === 'dot7'
        ? `${ones} return acc + (${v})${one('a')};`
        : `${ones} ${u} low = a & 0x7f, top = a & 0x80; return acc + (${v})${one('low')} + (${v})${one('top')};`;
    branches.push([x86.macro, body]);
  }
  if (halves !== undefined) {
    const body = `${v} r; r.lo = ${halves}(acc.lo, a.lo, b.lo); r.hi = ${halves}(acc.hi, a.hi, b.hi); return r;`;
    branches.push(['', body]);
  } else {
    branches.push(['', plain(use, lanes)]);
  }
  const parts = branches.map(([condition, body], i) => {
    const directive = condition === '' ? '#else' : `#${i === 0 ? 'if' : 'elif'} ${condition}`;
    return branches.length === 1 ? `${head} { ${body} }` : `${directive}\n${head} { ${body} }`;
  });
  return use.helper(name, parts.join('\n') + (branches.length === 1 ? '' : '\n#endif'));
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
