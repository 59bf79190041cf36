/** Operators: which types they take, and how two operands come to have one type. */

import ts from 'typescript';
import type { BinaryOperator, Expression } from '../tree.ts';
import { bool, errorType, type IntegerType, i32, isNumber, nullType, type Type } from '../types.ts';
import { numericLiteral } from './constants.ts';
import { type Context, errorAt, place, refuse } from './context.ts';
import { coerce, unify } from './convert.ts';
import { checkCondition, checkExpression, checkValue } from './expressions.ts';
import { foldBinary, roundTo, wrap } from './fold.ts';

const OPERATORS: Partial<Record<ts.SyntaxKind, BinaryOperator>> = {
  [ts.SyntaxKind.PlusToken]: '+',
  [ts.SyntaxKind.MinusToken]: '-',
  [ts.SyntaxKind.AsteriskToken]: '*',
  [ts.SyntaxKind.SlashToken]: '/',
  [ts.SyntaxKind.PercentToken]: '%',
  [ts.SyntaxKind.LessThanLessThanToken]: '<<',
  [ts.SyntaxKind.GreaterThanGreaterThanToken]: '>>',
  [ts.SyntaxKind.GreaterThanGreaterThanGreaterThanToken]: '>>>',
  [ts.SyntaxKind.AmpersandToken]: '&',
  [ts.SyntaxKind.BarToken]: '|',
  [ts.SyntaxKind.CaretToken]: '^',
  [ts.SyntaxKind.AmpersandAmpersandToken]: '&&',
  [ts.SyntaxKind.BarBarToken]: '||',
  [ts.SyntaxKind.EqualsEqualsToken]: '==',
  [ts.SyntaxKind.EqualsEqualsEqualsToken]: '==',
  [ts.SyntaxKind.ExclamationEqualsToken]: '!=',
  [ts.SyntaxKind.ExclamationEqualsEqualsToken]: '!=',
  [ts.SyntaxKind.LessThanToken]: '<',
  [ts.SyntaxKind.LessThanEqualsToken]: '<=',
  [ts.SyntaxKind.GreaterThanToken]: '>',
  [ts.SyntaxKind.GreaterThanEqualsToken]: '>=',
};

/** `+=` → `+`; undefined for what is not a compound assignment of the dialect. */
export const COMPOUND: Partial<Record<ts.SyntaxKind, BinaryOperator>> = {
  [ts.SyntaxKind.PlusEqualsToken]: '+',
  [ts.SyntaxKind.MinusEqualsToken]: '-',
  [ts.SyntaxKind.AsteriskEqualsToken]: '*',
  [ts.SyntaxKind.SlashEqualsToken]: '/',
  [ts.SyntaxKind.PercentEqualsToken]: '%',
  [ts.SyntaxKind.LessThanLessThanEqualsToken]: '<<',
  [ts.SyntaxKind.GreaterThanGreaterThanEqualsToken]: '>>',
  [ts.SyntaxKind.GreaterThanGreaterThanGreaterThanEqualsToken]: '>>>',
  [ts.SyntaxKind.AmpersandEqualsToken]: '&',
  [ts.SyntaxKind.BarEqualsToken]: '|',
  [ts.SyntaxKind.CaretEqualsToken]: '^',
};

const REFUSED: Partial<Record<ts.SyntaxKind, string>> = {
  [ts.SyntaxKind.CommaToken]: 'write two statements',
  [ts.SyntaxKind.AsteriskAsteriskToken]: 'multiply',
  [ts.SyntaxKind.QuestionQuestionToken]: 'p != null ? p : q',
  [ts.SyntaxKind.InKeyword]: 'fields are known when you write',
  [ts.SyntaxKind.InstanceOfKeyword]: 'types are known when you write',
};

export const isShift = (operator: BinaryOperator) => ['<<', '>>', '>>>'].includes(operator);
const isEquality = (operator: BinaryOperator) => operator === '==' || operator === '!=';
const isComparison = (operator: BinaryOperator) =>
  ['==', '!=', '<', '<=', '>', '>='].includes(operator);

/** Made of literals alone, so that its type is for the surroundings to say. */
export function isUntyped(node: ts.Expression): boolean {
  if (ts.isParenthesizedExpression(node)) return isUntyped(node.expression);
  if (ts.isNumericLiteral(node) || node.kind === ts.SyntaxKind.NullKeyword) return true;
  if (ts.isPrefixUnaryExpression(node)) return isUntyped(node.operand);
  if (ts.isConditionalExpression(node))
    return isUntyped(node.whenTrue) && isUntyped(node.whenFalse);
  if (!ts.isBinaryExpression(node)) return false;
  const operator = OPERATORS[node.operatorToken.kind];
  if (operator === undefined || isComparison(operator)) return false;
  return isUntyped(node.left) && (isShift(operator) || isUntyped(node.right));
}

export function checkPrefix(
  context: Context,
  node: ts.PrefixUnaryExpression,
  expected: Type | undefined,
): Expression {
  const at = place(context, node);
  switch (node.operator) {
    case ts.SyntaxKind.ExclamationToken: {
      const operand = checkCondition(context, node.operand);
      if (operand.kind === 'error') return operand;
      const value = operand.value === undefined ? undefined : !operand.value;
      return { kind: 'unary', operator: '!', operand, type: bool, place: at, value };
    }
    case ts.SyntaxKind.PlusToken: {
      const operand = checkValue(context, node.operand, undefined);
      if (isNumber(operand.type) || operand.kind === 'error') return operand;
      const values = { operator: '+', type: operand.type.name, instead: 'it is for numbers' };
      return refuse(context, node, 'MU303', values);
    }
    case ts.SyntaxKind.MinusToken:
      if (ts.isNumericLiteral(node.operand)) {
        return { ...numericLiteral(context, node.operand, true, expected), place: at };
      }
      return arithmeticUnary(context, node, '-', expected);
    case ts.SyntaxKind.TildeToken:
      return arithmeticUnary(context, node, '~', expected);
    default: {
      const operator = node.operator === ts.SyntaxKind.PlusPlusToken ? '++' : '--';
      return refuse(context, node, 'MU104', { operator });
    }
  }
}

function arithmeticUnary(
  context: Context,
  node: ts.PrefixUnaryExpression,
  operator: '-' | '~',
  expected: Type | undefined,
): Expression {
  const operand = checkExpression(context, node.operand, numeric(expected));
  if (operand.kind === 'error') return operand;
  const { type } = operand;
  if (type.kind === 'integer') {
    let value: bigint | undefined;
    if (operand.value !== undefined) {
      const exact = operator === '-' ? -(operand.value as bigint) : ~(operand.value as bigint);
      value = wrap(exact, type, context.checker.target);
      if (type.signed && value !== exact)
        return refuse(context, node, 'MU317', { type: type.name });
    }
    return { kind: 'unary', operator, operand, type, place: place(context, node), value };
  }
  if (type.kind === 'float' && operator === '-') {
    const value =
      operand.value === undefined ? undefined : roundTo(-(operand.value as number), type);
    return { kind: 'unary', operator, operand, type, place: place(context, node), value };
  }
  const instead = operator === '~' ? 'it is for integers' : 'it is for numbers';
  return refuse(context, node, 'MU303', { operator, type: type.name, instead });
}

/** What is worth handing down to the operands of arithmetic. */
function numeric(expected: Type | undefined): Type | undefined {
  if (expected?.kind === 'enum') return i32;
  return expected !== undefined && isNumber(expected) ? expected : undefined;
}

export function checkBinary(
  context: Context,
  node: ts.BinaryExpression,
  expected: Type | undefined,
): Expression {
  const token = node.operatorToken.kind;
  const operator = OPERATORS[token];
  if (operator === undefined) {
    const text = node.operatorToken.getText();
    if (token === ts.SyntaxKind.EqualsToken || COMPOUND[token] !== undefined) {
      return refuse(context, node, 'MU104', { operator: text });
    }
    const instead = REFUSED[token] ?? 'docs/language.md has the operators';
    return refuse(context, node, 'MU106', { operator: text, instead });
  }
  if (operator === '&&' || operator === '||') {
    const left = checkCondition(context, node.left);
    const right = checkCondition(context, node.right);
    return binary(context, node, operator, left, right, bool);
  }
  if (isShift(operator)) {
    const left = checkExpression(context, node.left, numeric(expected));
    const right = checkExpression(context, node.right);
    return shift(context, node, operator, left, right);
  }
  const wanted = isComparison(operator) ? undefined : numeric(expected);
  const [left, right] = checkPair(context, node.left, node.right, wanted);
  return combine(context, node, operator, left, right);
}

/** Two operands; literals take the type of the operand that has one. */
function checkPair(
  context: Context,
  leftNode: ts.Expression,
  rightNode: ts.Expression,
  expected: Type | undefined,
): [Expression, Expression] {
  if (isUntyped(leftNode) && !isUntyped(rightNode)) {
    const right = checkExpression(context, rightNode, expected);
    const left = checkExpression(context, leftNode, literalType(right.type));
    return [left, right];
  }
  const left = checkExpression(context, leftNode, expected);
  const hint = isUntyped(rightNode) && !isUntyped(leftNode) ? literalType(left.type) : expected;
  return [left, checkExpression(context, rightNode, hint)];
}

/** An integer type leaves 1.5 alone, which then reports a type, not a range. */
function literalType(type: Type): Type | undefined {
  return type === errorType || type === nullType ? undefined : type;
}

/** left operator right, for everything but shifts and && ||. Also what `+=` computes. */
export function combine(
  context: Context,
  node: ts.Node,
  operator: BinaryOperator,
  leftAsIs: Expression,
  rightAsIs: Expression,
): Expression {
  if (leftAsIs.kind === 'error' || rightAsIs.kind === 'error') return errorAt(place(context, node));
  if (isShift(operator)) return shift(context, node, operator, leftAsIs, rightAsIs);
  for (const { type } of [leftAsIs, rightAsIs]) {
    const instead = type.kind === 'pointer' && applies(operator, type);
    if (instead) return refuse(context, node, 'MU303', { operator, type: type.name, instead });
  }
  const operands = unify(context, leftAsIs, rightAsIs);
  if (operands === undefined) {
    const names = { operator, left: leftAsIs.type.name, right: rightAsIs.type.name };
    return refuse(context, node, 'MU302', names);
  }
  const { left, right, type } = operands;
  const instead = applies(operator, type);
  if (instead !== undefined) {
    return refuse(context, node, 'MU303', { operator, type: type.name, instead });
  }
  const operandType = type.kind === 'enum' && !isComparison(operator) ? i32 : type;
  return binary(
    context,
    node,
    operator,
    operandType === type ? left : coerce(context, node, left, i32),
    operandType === type ? right : coerce(context, node, right, i32),
    isComparison(operator) ? bool : operandType,
  );
}

/** Undefined if the operator takes the type, else what to do instead. */
function applies(operator: BinaryOperator, type: Type): string | undefined {
  if (type.kind === 'integer' || type.kind === 'enum') return undefined;
  if (type.kind === 'float') {
    if (isComparison(operator) || ['+', '-', '*', '/'].includes(operator)) return undefined;
    return 'it is for integers';
  }
  if (type.kind === 'vector') return `${type.name}.add(a, b) and the like`;
  if (isEquality(operator) && ['bool', 'pointer', 'function', 'null'].includes(type.kind)) {
    return undefined;
  }
  if (type.kind === 'pointer')
    return 'ref(p[i]) moves a pointer; changetype<usize>(p) is its address';
  if (type.kind === 'bool') return 'it is for numbers; && || ! == != take bool';
  if (type.kind === 'string') return 'compare bytes: memory.compare(utf8(a), utf8(b), a.length)';
  return 'it is for numbers';
}

function shift(
  context: Context,
  node: ts.Node,
  operator: BinaryOperator,
  left: Expression,
  right: Expression,
): Expression {
  if (left.kind === 'error') return left;
  if (right.kind === 'error') return right;
  for (const { type } of [left, right]) {
    if (type.kind !== 'integer') {
      const instead = 'it is for integers';
      return refuse(context, node, 'MU303', { operator, type: type.name, instead });
    }
  }
  return binary(context, node, operator, left, right, left.type as IntegerType);
}

function binary(
  context: Context,
  node: ts.Node,
  operator: BinaryOperator,
  left: Expression,
  right: Expression,
  type: Type,
): Expression {
  if (left.kind === 'error') return left;
  if (right.kind === 'error') return right;
  const { target } = context.checker;
  const value = foldBinary(operator, left.type, left.value, right.value, target);
  if (value === 'overflow') return refuse(context, node, 'MU317', { type: type.name });
  if (value === 'zero') return refuse(context, node, 'MU403');
  return { kind: 'binary', operator, left, right, type, place: place(context, node), value };
}

export function checkConditional(
  context: Context,
  node: ts.ConditionalExpression,
  expected: Type | undefined,
): Expression {
  const condition = checkCondition(context, node.condition);
  const [left, right] = checkPair(context, node.whenTrue, node.whenFalse, expected);
  for (const branch of [condition, left, right]) if (branch.kind === 'error') return branch;
  const operands = unify(context, left, right);
  if (operands === undefined) {
    const names = { operator: '?:', left: left.type.name, right: right.type.name };
    return refuse(context, node, 'MU302', names);
  }
  const { type } = operands;
  if (type.kind === 'struct' || type.kind === 'array') return refuse(context, node, 'MU312');
  if (type.kind === 'void' || type.kind === 'never' || type.kind === 'null') {
    const values = { operator: '?:', type: type.name, instead: 'use if' };
    return refuse(context, node, 'MU303', values);
  }
  const chosen = condition.value === true ? operands.left : operands.right;
  const value = condition.value === undefined ? undefined : chosen.value;
  const { left: whenTrue, right: whenFalse } = operands;
  const at = place(context, node);
  return { kind: 'conditional', condition, whenTrue, whenFalse, type, place: at, value };
}
