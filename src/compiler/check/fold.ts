/**
 * Constant arithmetic: what the operators give at compile time, bit for bit what they give at run
 * time.
 */

import { pointerBytes, type Target } from '../target.ts';
import type { BinaryOperator, ConstantValue } from '../tree.ts';
import { type FloatType, type IntegerType, range, type Type } from '../types.ts';

/** Width on the target. */
export function bitsOf(type: IntegerType, target: Target): number {
  return type.pointerSized ? pointerBytes(target) * 8 : type.bits;
}

/** The low bits of a value, as the type reads them. */
export function wrap(value: bigint, type: IntegerType, target: Target): bigint {
  const bits = bitsOf(type, target);
  return type.signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}

export function roundTo(value: number, type: FloatType): number {
  return type.bits === 32 ? Math.fround(value) : value;
}

export type Folded = ConstantValue | undefined | 'overflow' | 'zero';

/**
 * left operator right; undefined where nothing is known, 'overflow' where a signed result does not
 * fit, 'zero': division by it.
 */
export function foldBinary(
  operator: BinaryOperator,
  type: Type,
  left: ConstantValue | undefined,
  right: ConstantValue | undefined,
  target: Target,
): Folded {
  if (operator === '&&' && left === false) return false;
  if (operator === '||' && left === true) return true;
  if (left === undefined || right === undefined) {
    if ((operator === '/' || operator === '%') && right === 0n) return 'zero';
    return undefined;
  }
  if (operator === '&&' || operator === '||') return right;
  if (typeof left === 'bigint' && typeof right === 'bigint') {
    const compared = compare(operator, left, right);
    if (compared !== undefined) return compared;
    if (type.kind === 'integer') return foldInteger(operator, type, left, right, target);
    return undefined;
  }
  if (typeof left === 'number' && typeof right === 'number') {
    const compared = compare(operator, left, right);
    if (compared !== undefined) return compared;
    if (type.kind === 'float') return foldFloat(operator, type, left, right);
    return undefined;
  }
  if (operator === '==') return left === right;
  if (operator === '!=') return left !== right;
  return undefined;
}

function compare<N extends bigint | number>(
  operator: BinaryOperator,
  left: N,
  right: N,
): boolean | undefined {
  if (operator === '==') return left === right;
  if (operator === '!=') return left !== right;
  if (operator === '<') return left < right;
  if (operator === '<=') return left <= right;
  if (operator === '>') return left > right;
  if (operator === '>=') return left >= right;
  return undefined;
}

function foldInteger(
  operator: BinaryOperator,
  type: IntegerType,
  left: bigint,
  right: bigint,
  target: Target,
): Folded {
  const bits = bitsOf(type, target);
  const count = right & BigInt(bits - 1);
  const fits = (value: bigint): Folded => {
    const { min, max } = range(type, bits);
    if (type.signed && (value < min || value > max)) return 'overflow';
    return wrap(value, type, target);
  };
  switch (operator) {
    case '+':
      return fits(left + right);
    case '-':
      return fits(left - right);
    case '*':
      return fits(left * right);
    case '/':
      return right === 0n ? 'zero' : fits(left / right);
    case '%':
      return right === 0n ? 'zero' : left % right;
    case '&':
      return left & right;
    case '|':
      return left | right;
    case '^':
      return left ^ right;
    case '<<':
      return wrap(left << count, type, target);
    case '>>':
      return left >> count;
    case '>>>':
      return wrap(BigInt.asUintN(bits, left) >> count, type, target);
    default:
      return undefined;
  }
}

function foldFloat(
  operator: BinaryOperator,
  type: FloatType,
  left: number,
  right: number,
): number | undefined {
  // For f32: the f64 result of + - * / of two f32 rounds to the same f32 as the exact result (53 ≥
  // 2·24 + 2).
  if (operator === '+') return roundTo(left + right, type);
  if (operator === '-') return roundTo(left - right, type);
  if (operator === '*') return roundTo(left * right, type);
  if (operator === '/') return roundTo(left / right, type);
  return undefined;
}

/** The value as another type, by the rules of casts. */
export function foldCast(
  value: ConstantValue,
  to: Type,
  target: Target,
): ConstantValue | undefined {
  if (to.kind === 'bool') {
    return typeof value === 'boolean' ? value : value !== 0n && value !== 0;
  }
  const number = typeof value === 'boolean' ? BigInt(value) : value;
  if (to.kind === 'enum') return typeof number === 'bigint' ? number : undefined;
  if (to.kind === 'float') return toFloat(number, to);
  if (to.kind !== 'integer') return undefined;
  if (typeof number === 'bigint') return wrap(number, to, target);
  if (Number.isNaN(number)) return 0n;
  const { min, max } = range(to, bitsOf(to, target));
  if (number <= Number(min)) return min;
  if (number >= Number(max)) return max;
  return BigInt(Math.trunc(number));
}

function toFloat(value: bigint | number, to: FloatType): number {
  if (typeof value === 'number') return roundTo(value, to);
  return to.bits === 64 ? Number(value) : roundOnce(value);
}

/** An integer as f32, rounded once: by way of f64 it would be rounded twice. */
function roundOnce(value: bigint): number {
  const magnitude = value < 0n ? -value : value;
  const bits = magnitude.toString(2).length;
  if (bits <= 53) return Math.fround(Number(value));
  const drop = BigInt(bits - 32);
  const sticky = (magnitude & ((1n << drop) - 1n)) !== 0n ? 1n : 0n;
  const rounded = Math.fround(Number(((magnitude >> drop) | sticky) << drop));
  return value < 0n ? -rounded : rounded;
}

/** Does the type have exactly this value? */
export function represents(type: Type, value: ConstantValue, target: Target): boolean {
  if (typeof value === 'boolean') return type.kind === 'bool';
  if (type.kind === 'integer') {
    if (typeof value !== 'bigint') return false;
    const { min, max } = range(type, bitsOf(type, target));
    return value >= min && value <= max;
  }
  if (type.kind === 'float') {
    if (typeof value === 'number') return Object.is(roundTo(value, type), value);
    const rounded = toFloat(value, type);
    return Number.isFinite(rounded) && BigInt(rounded) === value;
  }
  return false;
}
