/**
 * What integer dot products are made of where there is no VNNI, one x86 instruction each (SSSE3,
 * AVX2, AVX-512BW):
 *
 *   i16xN.pairDot     pmaddubsw   a[2n]·b[2n] + a[2n+1]·b[2n+1], bytes to 16 bits; must fit
 *   i32xN.dot2        pmaddwd     the same, 16 bits to 32
 *   i8xN.applySign    psignb      v where sign > 0, -v where sign < 0, 0 where sign = 0
 */

import type { VectorType } from '../types.ts';
import type { Use } from './intrinsic.ts';

/** One builtin at one width. */
interface Form {
  name: string;
  /** C types and names of the helper's parameters. */
  parameters: [type: string, name: string][];
  /** C of the result by the machine's own instruction, and the macro that says that it is there. */
  machine: string;
  macro: string | undefined;
  /** Statements that do without. */
  plain: string;
}

const MACROS: Record<number, string> = {
  64: 'defined(__AVX512BW__)',
  32: 'defined(__AVX2__)',
  16: 'defined(__SSSE3__)',
};

const bytesOf = ({ lanes, element }: VectorType) => (lanes * element.bits) / 8;
const cast = (element: string, type: VectorType, x: string) =>
  `(${element} __attribute__((vector_size(${bytesOf(type)}))))${x}`;

/** Bytes to 16 bits. */
export const pairDot = (use: Use) =>
  call(use, (type) => form(use, type, 'pairDot', 'pmaddubsw', 'u8', 'i8'));
/** 16 bits to 32. */
export const dot2 = (use: Use) =>
  call(use, (type) => form(use, type, 'dot2', 'pmaddwd', 'i16', 'i16'));

export const applySign = (use: Use) =>
  call(use, (type) => {
    const v = use.c(type);
    const chars = (x: string) => cast('char', type, x);
    return {
      name: 'applySign',
      parameters: [
        [v, 'v'],
        [v, 'sign'],
      ],
      machine: `__builtin_ia32_psignb${bytesOf(type) * 8}(${chars('v')}, ${chars('sign')})`,
      macro: bytesOf(type) === 64 ? undefined : MACROS[bytesOf(type)],
      plain: `return (v & (${v})(sign > 0)) | (-v & (${v})(sign < 0));`,
    };
  });

function form(
  use: Use,
  type: VectorType,
  name: string,
  instruction: string,
  a: string,
  b: string,
): Form {
  const bytes = bytesOf(type);
  const c = use.c(type);
  const lanes = (element: string) =>
    use.c(use.vector(element, bytes / (element === 'i16' ? 2 : 1)));
  const operand = (x: string) => cast(a === 'i16' ? 'short' : 'char', type, x);
  const product = (part: string) =>
    `__builtin_convertvector(a.${part}, ${c}) * __builtin_convertvector(b.${part}, ${c})`;
  return {
    name,
    parameters: [
      [lanes(a), 'a'],
      [lanes(b), 'b'],
    ],
    machine: `__builtin_ia32_${instruction}${bytes * 8}(${operand('a')}, ${operand('b')})`,
    macro: MACROS[bytes],
    plain: `return ${product('even')} + ${product('odd')};`,
  };
}

function call(use: Use, form: (type: VectorType) => Form): string {
  return `${define(use, use.types[0] as VectorType, form)}(${use.args.join(', ')})`;
}

/** The helper of one type; what is wider than the machine's instruction is two halves. */
function define(use: Use, type: VectorType, formOf: (type: VectorType) => Form): string {
  const form = formOf(type);
  const v = use.c(type);
  const name = `${v}_${form.name}`;
  const head = `VECTOR_HELPER ${v} ${name}(${form.parameters.map((p) => p.join(' ')).join(', ')})`;
  let { plain } = form;
  if (bytesOf(type) > 16) {
    const half = define(use, use.vector(type.element.name, type.lanes / 2), formOf);
    const of = (part: string) => form.parameters.map(([, x]) => `${x}.${part}`).join(', ');
    plain = `${v} r; r.lo = ${half}(${of('lo')}); r.hi = ${half}(${of('hi')}); return r;`;
  }
  const text = form.macro
    ? `#if ${form.macro}\n${head} { return (${v})(${form.machine}); }\n#else\n${head} { ${plain} }\n#endif`
    : `${head} { ${plain} }`;
  return use.helper(name, text);
}
