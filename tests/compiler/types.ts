/**
 * The number types as the tests see them, with values worth trying. Independent of the compiler's
 * own arithmetic.
 */

export interface TestType {
  name: string;
  bits: number;
  kind: 'signed' | 'unsigned' | 'float';
}

const of = (name: string, bits: number, kind: TestType['kind']): TestType => ({ name, bits, kind });

export const INTEGERS: TestType[] = [
  of('i8', 8, 'signed'),
  of('u8', 8, 'unsigned'),
  of('i16', 16, 'signed'),
  of('u16', 16, 'unsigned'),
  of('i32', 32, 'signed'),
  of('u32', 32, 'unsigned'),
  of('i64', 64, 'signed'),
  of('u64', 64, 'unsigned'),
  of('isize', 32, 'signed'),
  of('usize', 32, 'unsigned'),
];

export const FLOATS: TestType[] = [of('f32', 32, 'float'), of('f64', 64, 'float')];

export function limits({ bits, kind }: TestType): { min: bigint; max: bigint } {
  if (kind === 'unsigned') return { min: 0n, max: (1n << BigInt(bits)) - 1n };
  return { min: -(1n << BigInt(bits - 1)), max: (1n << BigInt(bits - 1)) - 1n };
}

/** The low bits of a value as the type reads them. */
export function wrapTo(type: TestType, value: bigint): bigint {
  return type.kind === 'unsigned'
    ? BigInt.asUintN(type.bits, value)
    : BigInt.asIntN(type.bits, value);
}

/** Ends, neighbours of ends, small numbers, patterns. */
export function integerValues(type: TestType): bigint[] {
  const { min, max } = limits(type);
  const candidates = [min, min + 1n, -2n, -1n, 0n, 1n, 2n, 7n, 31n, 100n, max / 3n, max - 1n, max];
  return [...new Set(candidates.filter((value) => value >= min && value <= max))];
}

export const FLOAT_VALUES = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  3.7,
  -3.7,
  1e-40,
  1e10,
  -1e10,
  2147483647,
  2147483648,
  4294967296,
  9.3e18,
  1.9e19,
  3.4e38,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];

/** A value as WebAssembly takes it. */
export function toWasm(type: TestType, value: bigint | number): bigint | number {
  if (type.kind === 'float') return type.bits === 32 ? Math.fround(Number(value)) : Number(value);
  return type.bits === 64
    ? BigInt.asIntN(64, BigInt(value))
    : Number(BigInt.asIntN(32, BigInt(value)));
}

/** A result of WebAssembly as the type's value. */
export function fromWasm(type: TestType, value: bigint | number | undefined): bigint | number {
  if (value === undefined) throw new Error('no value');
  return type.kind === 'float' ? Number(value) : wrapTo(type, BigInt(value));
}
