/** Calls: of functions, through pointers, of casts and of builtins. */

import ts from 'typescript';
import type { Expression } from '../tree.ts';
import { bool, errorType, type FunctionType, isNumber, SCALARS, type Type } from '../types.ts';
import { checkBuiltin } from './builtins.ts';
import {
  type Context,
  errorAt,
  type FunctionSymbol,
  findLocal,
  place,
  refuse,
  report,
} from './context.ts';
import { coerce } from './convert.ts';
import { checkExpression, checkValue } from './expressions.ts';
import { foldCast } from './fold.ts';
import { functionDeclaration } from './functions.ts';
import { lookup } from './lookup.ts';
import { isUntyped } from './operators.ts';

export function checkCall(
  context: Context,
  node: ts.CallExpression,
  expected: Type | undefined,
): Expression {
  if (node.questionDotToken !== undefined) {
    const instead = 'test for null, then call';
    return refuse(context, node, 'MU101', { what: 'optional chaining', instead });
  }
  const callee = node.expression;
  if (ts.isIdentifier(callee) && findLocal(context.scope, callee.text) === undefined) {
    const symbol = lookup(context, callee.text, callee);
    if (symbol?.kind === 'function') return checkDirect(context, node, symbol);
    if (symbol?.kind === 'failed') return errorAt(place(context, node));
    if (symbol === undefined) {
      const scalar = SCALARS.get(callee.text);
      if (scalar !== undefined) return checkCast(context, node, scalar);
      return checkBuiltin(context, node, callee.text, undefined, expected);
    }
  }
  if (ts.isPropertyAccessExpression(callee) && ts.isIdentifier(callee.expression)) {
    const left = callee.expression.text;
    const isFree =
      findLocal(context.scope, left) === undefined &&
      lookup(context, left, callee.expression) === undefined;
    if (isFree) {
      const vector = context.checker.types.vectorNamed(left);
      const name = vector === undefined ? `${left}.${callee.name.text}` : callee.name.text;
      return checkBuiltin(context, node, name, vector, expected);
    }
  }
  const pointer = checkExpression(context, callee);
  if (pointer.kind === 'error') return pointer;
  if (pointer.type.kind !== 'function' || pointer.type.convention === 'interrupt') {
    return refuse(context, callee, 'MU309', { type: pointer.type.name });
  }
  const type: FunctionType = pointer.type;
  if (!countMatches(context, node, callee.getText(), type.parameters))
    return errorAt(pointer.place);
  const given = node.arguments.map((argument, i) =>
    checkArgument(context, argument, type.parameters[i]),
  );
  const at = place(context, node);
  return { kind: 'callPointer', callee: pointer, arguments: given, type: type.result, place: at };
}

function countMatches(
  context: Context,
  node: ts.CallExpression,
  name: string,
  parameters: Type[],
): boolean {
  const actual = node.arguments.length;
  if (actual === parameters.length) return true;
  report(context, node, 'MU308', {
    name,
    expected: parameters.length,
    actual,
    parameters: parameters.map((type) => type.name).join(', '),
  });
  return false;
}

export function checkArgument(context: Context, node: ts.Expression, type: Type): Expression {
  return type === errorType
    ? checkExpression(context, node)
    : coerce(context, node, checkExpression(context, node, type), type);
}

function checkDirect(
  context: Context,
  node: ts.CallExpression,
  symbol: FunctionSymbol,
): Expression {
  if (node.typeArguments !== undefined) {
    const actual = node.typeArguments.length;
    report(context, node, 'MU209', { name: symbol.name, expected: 0, actual });
  }
  if (symbol.tags.has('interrupt')) {
    const instead = 'put its address into the interrupt table: changetype<usize>(name)';
    const problem = 'functions are called by the processor only';
    return refuse(context, node, 'MU502', { tag: '@interrupt', problem, instead });
  }
  const declaration = functionDeclaration(context, symbol);
  const { parameters, result } = declaration.type;
  const at = place(context, node);
  if (!countMatches(context, node, symbol.name, parameters)) return errorAt(at);
  const given = node.arguments.map((a, i) => checkArgument(context, a, parameters[i]));
  return { kind: 'call', function: declaration, arguments: given, type: result, place: at };
}

/** u8(x), f32(x), bool(x) */
function checkCast(context: Context, node: ts.CallExpression, to: Type): Expression {
  if (node.arguments.length !== 1 || node.typeArguments !== undefined) {
    const values = { name: to.name, expected: 1, actual: node.arguments.length, parameters: 'x' };
    return refuse(context, node, 'MU308', values);
  }
  const [argument] = node.arguments;
  // A literal takes the type if it fits; u8(-1) and i32(1.5) are casts of what the literal is by
  // itself.
  const operand = checkCastOperand(context, argument, to);
  if (operand.kind === 'error') return operand;
  const { type } = operand;
  if (!isNumber(type) && type !== bool && type.kind !== 'enum') {
    const instead =
      type.kind === 'pointer' || type.kind === 'function'
        ? 'changetype<usize>(p) is its address; p != null tests it'
        : 'only numbers, enums and bool can';
    return refuse(context, node, 'MU306', { type: type.name, target: to.name, instead });
  }
  const value =
    operand.value === undefined ? undefined : foldCast(operand.value, to, context.checker.target);
  return { kind: 'convert', operand, explicit: true, type: to, place: place(context, node), value };
}

function checkCastOperand(context: Context, argument: ts.Expression, to: Type): Expression {
  if (!isUntyped(argument)) return checkValue(context, argument);
  const before = context.checker.diagnostics.length;
  const fitted = checkExpression(context, argument, isNumber(to) ? to : undefined);
  if (fitted.kind !== 'error') return fitted;
  context.checker.diagnostics.length = before;
  return checkValue(context, argument);
}
