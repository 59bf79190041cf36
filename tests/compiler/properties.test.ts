/**
 * Random values and random expressions: compiled arithmetic against BigInt, constants against run
 * time.
 */

import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { allOperations, type Operation } from './arithmetic.ts';
import { call, type Exports, runWasm, toC } from './build.ts';
import { nearest } from './rounding.ts';
import { FLOATS, fromWasm, INTEGERS, limits, type TestType, toWasm, wrapTo } from './types.ts';

const RUNS = 400;

function integer(type: TestType): fc.Arbitrary<bigint> {
  const { min, max } = limits(type);
  return fc.oneof(
    fc.bigInt({ min, max }),
    fc.bigInt({ min: min < -40n ? -40n : min, max: 40n }),
    fc.constantFrom(min, max, 0n, 1n),
  );
}

const anyFloat = (type: TestType): fc.Arbitrary<number> =>
  fc.double().map((x) => (type.bits === 32 ? Math.fround(x) : x));

/** What docs/language.md says, in BigInt. */
function model(name: string, type: TestType, a: bigint, b: bigint): bigint | 'trap' {
  const bits = BigInt(type.bits);
  const count = BigInt.asUintN(64, b) % bits;
  const unsigned = BigInt.asUintN(type.bits, a);
  switch (name) {
    case 'add':
      return wrapTo(type, a + b);
    case 'sub':
      return wrapTo(type, a - b);
    case 'mul':
      return wrapTo(type, a * b);
    case 'div':
      return b === 0n || (a === limits(type).min && b === -1n && type.kind === 'signed')
        ? 'trap'
        : a / b;
    case 'rem':
      return b === 0n ? 'trap' : a % b;
    case 'and':
      return a & b;
    case 'or':
      return a | b;
    case 'xor':
      return a ^ b;
    case 'shl':
      return wrapTo(type, a << count);
    case 'shr':
      return a >> count;
    case 'shru':
      return wrapTo(type, unsigned >> count);
    case 'rotr':
      return wrapTo(type, (unsigned >> count) | (unsigned << (bits - count)));
    case 'min':
      return a < b ? a : b;
    case 'max':
      return a > b ? a : b;
    default:
      throw new Error(name);
  }
}

const MODELLED = 'add sub mul div rem and or xor shl shr shru rotr min max'.split(' ');

describe('integers against BigInt', () => {
  let exports: Exports;
  beforeAll(() => {
    exports = runWasm(
      toC(
        allOperations()
          .map((o: Operation) => o.source)
          .join('\n'),
      ),
    ).exports;
  });

  test.each(INTEGERS.map((type) => [type.name, type] as const))('%s', (_, type) => {
    fc.assert(
      fc.property(fc.constantFrom(...MODELLED), integer(type), integer(type), (name, a, b) => {
        const raw = call(exports, `${name}_${type.name}`, [toWasm(type, a), toWasm(type, b)]);
        const got = raw === 'trap' ? 'trap' : fromWasm(type, raw);
        expect([name, a, b, got]).toEqual([name, a, b, model(name, type, a, b)]);
      }),
      { numRuns: RUNS },
    );
  });

  test('casts between integers keep the low bits', () => {
    const types = fc.constantFrom(...INTEGERS);
    fc.assert(
      fc.property(types, types, fc.bigInt({ min: -(1n << 63n), max: 1n << 64n }), (from, to, x) => {
        const value = wrapTo(from, x);
        const got = call(exports, `${to.name}_from_${from.name}`, [toWasm(from, value)]);
        expect(fromWasm(to, got as bigint)).toBe(wrapTo(to, value));
      }),
      { numRuns: RUNS },
    );
  });

  test('float → integer truncates and saturates', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...FLOATS),
        fc.constantFrom(...INTEGERS),
        fc.double(),
        (from, to, y) => {
          const x = from.bits === 32 ? Math.fround(y) : y;
          const { min, max } = limits(to);
          const whole = Number.isFinite(x) ? BigInt(Math.trunc(x)) : x > 0 ? max : min;
          const wanted = Number.isNaN(x) ? 0n : whole < min ? min : whole > max ? max : whole;
          const got = call(exports, `${to.name}_from_${from.name}`, [x]);
          expect(fromWasm(to, got as bigint)).toBe(wanted);
        },
      ),
      { numRuns: RUNS },
    );
  });
});

describe('floats', () => {
  let exports: Exports;
  beforeAll(() => {
    const source = FLOATS.flatMap(({ name: t }) => [
      `export function nearest_${t}(a: ${t}): ${t} { return nearest(a); }`,
      `export function mix_${t}(a: ${t}, b: ${t}): ${t} { return (a + b) * (a - b) / (b + 1) - a * b; }`,
      `export function from_${t}(a: i64): ${t} { return ${t}(a); }`,
    ]).join('\n');
    exports = runWasm(toC(source)).exports;
  });
  const close = fc.double({ min: -1e6, max: 1e6, noNaN: true });

  test.each(FLOATS.map((type) => [type.name, type] as const))(
    'arithmetic and nearest of %s',
    (t, type) => {
      const round = (x: number) => (type.bits === 32 ? Math.fround(x) : x);
      const operand = fc.oneof(anyFloat(type), close.map(round));
      fc.assert(
        fc.property(operand, operand, (a, b) => {
          expect(exports[`nearest_${t}`](a)).toBe(nearest(a));
          const step = round(round(round(a + b) * round(a - b)) / round(b + 1));
          expect(exports[`mix_${t}`](a, b)).toBe(round(step - round(a * b)));
        }),
        { numRuns: 3 * RUNS },
      );
    },
  );

  test('i64 → float rounds once', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), (x) => {
        expect(exports.from_f64(x)).toBe(Number(x));
        // f32: round to odd in f64 first
        const magnitude = x < 0n ? -x : x;
        const drop = BigInt(Math.max(0, magnitude.toString(2).length - 50));
        const sticky = (magnitude >> drop) << drop === magnitude ? 0n : 1n;
        const odd = ((magnitude >> drop) | sticky) << drop;
        expect(exports.from_f32(x)).toBe(Math.fround(Number(x < 0n ? -odd : odd)));
      }),
      { numRuns: RUNS },
    );
  });
});

/** Random expressions over a, b, c: folded as constants, and computed from variables. */
describe('a constant is what the same expression gives at run time', () => {
  const types = INTEGERS.filter((type) => type.kind === 'unsigned');
  const binary = fc.constantFrom('+', '-', '*', '&', '|', '^', '<<', '>>', '>>>');
  const expression = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom('a', 'b', 'c'),
      fc.tuple(tie('node'), binary, tie('node')).map(([x, op, y]) => `(${x} ${op} ${y})`),
      fc.tuple(fc.constantFrom('~', '-'), tie('node')).map(([op, x]) => `(${op}${x})`),
      fc
        .tuple(tie('node'), tie('node'), tie('node'))
        .map(([x, y, z]) => `(${x} < ${y} ? ${z} : ${x})`),
      fc.tuple(tie('node'), tie('node')).map(([x, y]) => `(${x} / (${y} | 1) + ${x} % (${y} | 1))`),
    ),
  })).node;

  test('300 expressions', () => {
    const sample = fc.sample(
      fc.tuple(
        fc.constantFrom(...types),
        expression,
        fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      ),
      {
        numRuns: 300,
        seed: 7,
      },
    );
    const source = sample.map(([{ name: t }, text, seed], n) => {
      const values = [seed, seed * 0x9e3779b97f4a7c15n, seed >> 3n].map((x) =>
        wrapTo(types.find((u) => u.name === t)!, x),
      );
      const constants = values
        .map((value, k) => `const K${n}${'abc'[k]}: ${t} = ${value};`)
        .join(' ');
      const folded = text.replace(/[abc]/g, (name) => `K${n}${name}`);
      const variables = values
        .map((value, k) => `let V${n}${'abc'[k]}: ${t} = ${value};`)
        .join(' ');
      const live = text.replace(/[abc]/g, (name) => `V${n}${name}`);
      return `${constants} ${variables} const F${n}: ${t} = ${folded};
export function folded${n}(): ${t} { return F${n}; }
export function live${n}(): ${t} { return ${live}; }`;
    });
    // -O0: at -O2 clang would fold the variables too.
    const { exports } = runWasm(toC(source.join('\n')), ['-O0']);
    const different = sample
      .map(([type, text], n) => ({
        type: type.name,
        text,
        folded: exports[`folded${n}`](),
        live: exports[`live${n}`](),
      }))
      .filter(({ folded, live }) => folded !== live);
    expect(different).toEqual([]);
  });
});
