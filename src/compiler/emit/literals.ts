/** Constants as C writes them. */

import type { ConstantValue } from '../tree.ts';
import type { Type } from '../types.ts';

/**
 * bare: the surroundings convert the number to its type (an initial value, the other operand), so
 * no suffix is needed. bits: of the integer type on the target.
 */
export function cLiteral(
  type: Type,
  value: ConstantValue,
  bits: number,
  bare: boolean,
  hex = false,
): string {
  if (typeof value === 'boolean') return String(value);
  if (type.kind === 'float') return cFloat(Number(value), type.bits === 32);
  const number = BigInt(value);
  const signed = type.kind !== 'integer' || type.signed;
  if (signed && bits >= 32 && number === -(1n << BigInt(bits - 1))) {
    return bits === 64 ? '(-9223372036854775807ll - 1)' : '(-2147483647 - 1)';
  }
  const isInt = number >= -2147483647n && number <= 2147483647n;
  const inHex = number >= 0n && (hex || (!signed && number > 0xffffn));
  const text = inHex ? `0x${number.toString(16)}` : String(number);
  if (bits < 32 || (isInt && (bare || (bits === 32 && signed)))) return text;
  return text + (signed ? '' : 'u') + (bits === 64 ? 'll' : '');
}

export function cFloat(value: number, single: boolean): string {
  const suffix = single ? 'f' : '';
  if (Number.isNaN(value)) return `__builtin_nan${suffix}("")`;
  if (!Number.isFinite(value)) return `${value < 0 ? '-' : ''}__builtin_inf${suffix}()`;
  const text = single ? shortestSingle(value) : Object.is(value, -0) ? '-0' : String(value);
  return (/[.e]/.test(text) ? text : `${text}.0`) + suffix;
}

/** The shortest decimal that reads back as the same f32. */
function shortestSingle(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  for (let digits = 1; digits <= 9; digits++) {
    const text = String(Number(value.toPrecision(digits)));
    const read = Number(text);
    if (Math.fround(read) === value && !isTie(read)) return text;
  }
  return String(value);
}

/**
 * Half-way between two f32: there, a decimal read by way of f64 could round differently than read
 * at once.
 */
function isTie(value: number): boolean {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  return (bits.getUint32(4) & 0x1fffffff) === 0x10000000;
}

/** Bytes as a C string literal, without the quotes' terminating zero counted by anybody. */
export function cString(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    if (char === '\n') text += '\\n';
    else if (char === '"' || char === '\\') text += `\\${char}`;
    else if (char === '?') text += '\\?';
    else if (byte >= 0x20 && byte < 0x7f) text += char;
    else text += `\\${byte.toString(8).padStart(3, '0')}`;
  }
  return `"${text}"`;
}
