/**
 * Helpers for what C leaves undefined or open: division, casts from floats; and the tests of
 * checked builds.
 */

import type { Place } from '../diagnostics.ts';
import { type FloatType, type IntegerType, range } from '../types.ts';
import { bitsOfType, type Emitter, site } from './emitter.ts';
import { cLiteral } from './literals.ts';

function define(e: Emitter, name: string, text: () => string): string {
  if (!e.helpers.has(name)) e.helpers.set(name, text());
  return name;
}

/**
 * The end of the program: hands a message to the @panic function, if there is one, and traps. Cold,
 * so out of line.
 */
function panicHelper(e: Emitter): string {
  const panic = e.program.panic;
  const call = panic === undefined ? '' : ` ${e.names.of(panic)}(message, *file, line);`;
  return define(
    e,
    'panic_at',
    () =>
      `static __attribute__((cold, noinline, noreturn)) void panic_at(string message, const string *file, i32 line) {${call} __builtin_trap(); }`,
  );
}

export function panicCall(e: Emitter, message: string, place: Place): string {
  return `${panicHelper(e)}(${message}, ${site(e, place)})`;
}

const SITE = 'const string *file, i32 line';

export function nonnullHelper(e: Emitter): string {
  panicHelper(e);
  return define(
    e,
    'nonnull',
    () =>
      `HELPER void *nonnull(const void *p, ${SITE}) { if (p == null) panic_at(TEXT("null pointer"), file, line); return (void *)p; }`,
  );
}

/** Signed indexes arrive sign-extended, so that negative ones are too large. */
export function indexHelper(e: Emitter): string {
  panicHelper(e);
  return define(
    e,
    'index_at',
    () =>
      `HELPER usize index_at(u64 i, u64 n, ${SITE}) { if (i >= n) panic_at(TEXT("index out of range"), file, line); return (usize)i; }`,
  );
}

/** / and %, which trap for zero and MIN / -1. MIN % -1 is 0, where x86 would trap. */
export function divisionHelper(e: Emitter, type: IntegerType, operator: '/' | '%'): string {
  const { name } = type;
  const helper = `${name}_${operator === '/' ? 'div' : 'rem'}`;
  if (e.checked) panicHelper(e);
  const fail = (message: string) =>
    e.checked ? `panic_at(TEXT("${message}"), file, line)` : '__builtin_trap()';
  return define(e, helper, () => {
    const site = e.checked ? `, ${SITE}` : '';
    const zero = `if (b == 0) ${fail('division by zero')};`;
    const min = cLiteral(type, range(type, bitsOfType(e, type)).min, bitsOfType(e, type), false);
    let special = '';
    if (type.signed && operator === '/') {
      special = ` if (b == -1 && a == ${min}) ${fail('division overflows')};`;
    } else if (type.signed) {
      special = ' if (b == -1) return 0;';
    }
    return `HELPER ${name} ${helper}(${name} a, ${name} b${site}) { ${zero}${special} return (${name})(a ${operator} b); }`;
  });
}

/**
 * Float → integer: truncates, NaN is 0, what does not fit the nearest end. Checked: neither may
 * happen, nor lost bits.
 */
export function castHelper(
  e: Emitter,
  from: IntegerType | FloatType,
  to: IntegerType,
  checked: boolean,
): string {
  const helper = `${to.name}_${checked ? 'checked_' : ''}from_${from.name}`;
  if (checked) panicHelper(e);
  const site = checked ? `, ${SITE}` : '';
  const fail = checked
    ? `panic_at(TEXT("value does not fit ${to.name}"), file, line)`
    : '__builtin_trap()';
  const head = `HELPER ${to.name} ${helper}(${from.name} x${site})`;
  return define(e, helper, () => {
    if (from.kind === 'integer') {
      return `${head} { if ((${from.name})(${to.name})x != x) ${fail}; return (${to.name})x; }`;
    }
    const bits = bitsOfType(e, to);
    const { min, max } = range(to, bits);
    const suffix = from.bits === 32 ? 'f' : '';
    const above = `0x1p${to.signed ? bits - 1 : bits}${suffix}`;
    const below = to.signed ? `-0x1p${bits - 1}${suffix}` : `0x0p0${suffix}`;
    if (checked) {
      // The exclusive lower end, MIN - 1, where the float has it; else MIN itself fits and nothing
      // lies between.
      const exact = from.bits > bits || (from.bits === 32 && bits < 24) || !to.signed;
      const low = to.signed
        ? exact
          ? `x <= ${below} - 1`
          : `x < ${below}`
        : `x <= -0x1p0${suffix}`;
      return `${head} { if (x != x || ${low} || x >= ${above}) ${fail}; return (${to.name})x; }`;
    }
    const least = cLiteral(to, min, bits, false);
    const most = cLiteral(to, max, bits, false);
    return `${head} { return x != x ? 0 : x <= ${below} ? ${least} : x >= ${above} ? ${most} : (${to.name})x; }`;
  });
}
