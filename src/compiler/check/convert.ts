/** Conversions that happen by themselves: only those that keep every value. */

import type ts from 'typescript';
import type { ConstantValue, Expression } from '../tree.ts';
import { errorType, type IntegerType, i32, isNumber, range, type Type, widens } from '../types.ts';
import { type Context, place, refuse } from './context.ts';
import { bitsOf, foldCast, represents } from './fold.ts';

/** The expression as a `to`, or a diagnostic. */
export function coerce(
  context: Context,
  node: ts.Node,
  expression: Expression,
  to: Type,
): Expression {
  const from = expression.type;
  if (from === to || from === errorType || to === errorType) return expression;
  if (convertible(context, expression, to)) return implicit(context, expression, to);
  if (expression.kind === 'function' && to.kind === 'function' && to.convention === 'efi') {
    // A declared function takes on the convention that its one use as a value wants.
    if (context.checker.types.function(to.parameters, to.result) === from) {
      expression.function.tags.set('efi', '');
      return { ...expression, type: to };
    }
  }
  if (expression.value !== undefined && isNumber(from) && isNumber(to)) {
    return doesNotFit(context, node, expression.value, to);
  }
  return refuse(context, node, 'MU301', {
    expected: to.name,
    actual: from.name,
    instead: adviceFor(from, to),
  });
}

export function convertible(context: Context, expression: Expression, to: Type): boolean {
  const from = expression.type;
  if (from === to || widens(from, to)) return true;
  if (from.kind === 'null') return to.kind === 'pointer' || to.kind === 'function';
  if (to.kind === 'enum') return from === i32;
  if (expression.value !== undefined && isNumber(to) && from.kind !== 'bool') {
    return represents(to, expression.value, context.checker.target);
  }
  return false;
}

/** A conversion that is known to keep the value. */
export function implicit(context: Context, operand: Expression, to: Type): Expression {
  if (operand.type === to) return operand;
  if (operand.kind === 'null') return { ...operand, type: to };
  const value =
    operand.value === undefined ? undefined : foldCast(operand.value, to, context.checker.target);
  if (operand.kind === 'literal') return { ...operand, type: to, value };
  return { kind: 'convert', operand, explicit: false, type: to, place: operand.place, value };
}

export function doesNotFit(
  context: Context,
  node: ts.Node,
  value: ConstantValue,
  type: Type,
): Expression {
  return refuse(context, node, 'MU304', {
    value: String(value),
    type: type.name,
    range: rangeText(context, type),
  });
}

function rangeText(context: Context, type: Type): string {
  if (type.kind === 'integer') {
    const { min, max } = range(type, bitsOf(type as IntegerType, context.checker.target));
    return `${min} … ${max}; cast if you mean its low bits`;
  }
  return `rounded: write ${type.name}(…) if that is meant`;
}

function adviceFor(from: Type, to: Type): string {
  if (isNumber(from) && isNumber(to)) return `cast: ${to.name}(…)`;
  if (to.kind === 'bool') return 'compare: x != 0, p != null';
  if (from.kind === 'bool' && isNumber(to)) return `cast: ${to.name}(…)`;
  if (to.kind === 'pointer' && (from.kind === 'struct' || from.kind === 'array')) {
    return from.kind === 'array'
      ? 'ref(a[0]) points to the first element'
      : 'take its address: ref(…)';
  }
  if (to.kind === 'pointer' && from.kind === 'string') return 'utf8(text) points to its bytes';
  if (to.kind === 'pointer' || from.kind === 'pointer')
    return `changetype<${to.name}>(…) if you mean it`;
  return `write a ${to.name}`;
}

/**
 * Both operands as one type, or undefined if that needs a cast. Literals have taken the other's
 * type before.
 */
export function unify(
  context: Context,
  left: Expression,
  right: Expression,
): { left: Expression; right: Expression; type: Type } | undefined {
  if (left.type === right.type) return { left, right, type: left.type };
  const to = (type: Type) => ({
    left: implicit(context, left, type),
    right: implicit(context, right, type),
    type,
  });
  if (widens(left.type, right.type)) return to(right.type);
  if (widens(right.type, left.type)) return to(left.type);
  // A constant takes the type of the operand that is not one, if it fits.
  const constant = left.value !== undefined && right.value === undefined ? left : right;
  const other = constant === left ? right : left;
  if (convertible(context, constant, other.type)) return to(other.type);
  if (convertible(context, other, constant.type)) return to(constant.type);
  return undefined;
}

export function literal(
  context: Context,
  node: ts.Node,
  type: Type,
  value: ConstantValue,
): Expression {
  return { kind: 'literal', type, value, place: place(context, node) };
}
