/** Constants: literals, module-level `const`, and what must be known at compile time. */

import type ts from 'typescript';
import type { ConstantDeclaration, Expression } from '../tree.ts';
import {
  type FloatType,
  f64,
  type IntegerType,
  i32,
  i64,
  isNumber,
  type Type,
  u64,
} from '../types.ts';
import {
  type ConstantSymbol,
  type Context,
  moduleContext,
  place,
  refuse,
  report,
} from './context.ts';
import { coerce, doesNotFit, literal } from './convert.ts';
import { checkExpression } from './expressions.ts';
import { represents, roundTo } from './fold.ts';
import { requireValue, typeFrom } from './types.ts';

/**
 * An expression whose value must be known, as a `type` if one is wanted. Undefined if it has been
 * refused.
 */
export function checkConstant(
  context: Context,
  node: ts.Expression,
  type?: Type,
  what = 'this',
): Expression | undefined {
  let expression = checkExpression(context, node, type);
  if (type !== undefined) expression = coerce(context, node, expression, type);
  if (expression.kind === 'error') return undefined;
  if (expression.value === undefined) {
    report(context, node, 'MU401', { what });
    return undefined;
  }
  return expression;
}

/** The value of a module-level const, worked out at its first use. */
export function constantDeclaration(
  context: Context,
  symbol: ConstantSymbol,
  user: ts.Node,
): ConstantDeclaration | undefined {
  if (symbol.state === 'working') {
    report(context, user, 'MU402', { names: symbol.name });
    return undefined;
  }
  if (symbol.state === 'new') {
    symbol.state = 'working';
    symbol.declaration = evaluate(moduleContext(context.checker, symbol.module), symbol);
    symbol.state = 'done';
  }
  return symbol.declaration;
}

function evaluate(context: Context, symbol: ConstantSymbol): ConstantDeclaration | undefined {
  const { node, name } = symbol;
  if (node.initializer === undefined) {
    report(context, node, 'MU401', { what: `the value of "${name}"` });
    return undefined;
  }
  const wanted = node.type === undefined ? undefined : typeFrom(context, node.type);
  if (wanted?.kind === 'error') return undefined;
  if (wanted !== undefined) requireValue(context, node, wanted, `a constant`);
  const found = checkConstant(context, node.initializer, wanted, `the value of "${name}"`);
  if (found?.value === undefined) return undefined;
  return {
    kind: 'constant',
    name,
    module: symbol.module.name,
    place: place(context, node),
    type: found.type,
    value: found.value,
  };
}

/**
 * A number as it is written, in the type that its surroundings want. The text is read, not the
 * parser's value: that is an f64, and integers have 64 bits here.
 */
export function numericLiteral(
  context: Context,
  node: ts.NumericLiteral,
  negative: boolean,
  expected: Type | undefined,
): Expression {
  const text = node.getText().replaceAll('_', '');
  const isInteger = /^(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|\d+)$/.test(text);
  const wanted = expected?.kind === 'enum' ? i32 : expected;
  if (!isInteger) {
    const value = negative ? -Number(text) : Number(text);
    const type = wanted?.kind === 'float' ? wanted : f64;
    return finite(context, node, type, roundTo(value, type));
  }
  if (/^0\d/.test(text)) {
    const instead = 'octal is 0o17';
    return refuse(context, node, 'MU101', { what: 'a number that starts with 0', instead });
  }
  const value = negative ? -BigInt(text) : BigInt(text);
  const hex = /^0[xX]/.test(text) && !negative;
  if (wanted !== undefined && isNumber(wanted)) {
    const found = fitted(context, node, wanted, value, negative);
    return found.kind === 'literal' ? { ...found, hex } : found;
  }
  const type = [i32, i64, u64].find((t) => represents(t, value, context.checker.target));
  return type === undefined
    ? doesNotFit(context, node, value, negative ? i64 : u64)
    : { kind: 'literal', type, value, hex, place: place(context, node) };
}

function fitted(
  context: Context,
  node: ts.Node,
  type: IntegerType | FloatType,
  value: bigint,
  negative: boolean,
): Expression {
  if (!represents(type, value, context.checker.target))
    return doesNotFit(context, node, value, type);
  if (type.kind === 'integer') return literal(context, node, type, value);
  return literal(context, node, type, value === 0n && negative ? -0 : Number(value));
}

function finite(context: Context, node: ts.Node, type: FloatType, value: number): Expression {
  if (!Number.isFinite(value)) return doesNotFit(context, node, value, type);
  return literal(context, node, type, value);
}
