/**
 * Phase 2b: expressions. `expected` is the type that the surroundings want: it gives literals their
 * type and helps inference; whether the result fits is for the caller (coerce).
 */

import ts from 'typescript';
import type { Expression, ExpressionOf } from '../tree.ts';
import { nullType, range, SCALARS, stringType, type Type, usize } from '../types.ts';
import { checkCall } from './calls.ts';
import { constantDeclaration, numericLiteral } from './constants.ts';
import { type Context, errorAt, findLocal, place, refuse } from './context.ts';
import { coerce, literal } from './convert.ts';
import { bitsOf } from './fold.ts';
import { functionDeclaration } from './functions.ts';
import { globalDeclaration } from './globals.ts';
import { lookup } from './lookup.ts';
import { checkBinary, checkConditional, checkPrefix } from './operators.ts';
import { enumType } from './types.ts';

export function checkExpression(
  context: Context,
  node: ts.Expression,
  expected?: Type,
): Expression {
  if (ts.isParenthesizedExpression(node))
    return checkExpression(context, node.expression, expected);
  if (ts.isNumericLiteral(node)) return numericLiteral(context, node, false, expected);
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
    if (!ts.isStringLiteral(node)) return notInDialect(context, node);
    const bytes = new TextEncoder().encode(node.text);
    return { kind: 'string', bytes, type: stringType, place: place(context, node) };
  }
  if (ts.isIdentifier(node)) return checkName(context, node);
  if (ts.isPropertyAccessExpression(node)) return checkProperty(context, node);
  if (ts.isElementAccessExpression(node)) return checkElement(context, node);
  if (ts.isCallExpression(node)) return checkCall(context, node, expected);
  if (ts.isPrefixUnaryExpression(node)) return checkPrefix(context, node, expected);
  if (ts.isBinaryExpression(node)) return checkBinary(context, node, expected);
  if (ts.isConditionalExpression(node)) return checkConditional(context, node, expected);
  if (node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword) {
    const value = node.kind === ts.SyntaxKind.TrueKeyword;
    return literal(context, node, SCALARS.get('bool') as Type, value);
  }
  if (node.kind === ts.SyntaxKind.NullKeyword) {
    const type =
      expected?.kind === 'pointer' || expected?.kind === 'function' ? expected : nullType;
    return { kind: 'null', type, place: place(context, node) };
  }
  return notInDialect(context, node);
}

/** What is legal TypeScript but stands outside the dialect, and what to write. */
const REFUSED: Partial<Record<ts.SyntaxKind, [what: string, instead: string]>> = {
  [ts.SyntaxKind.ArrowFunction]: ['a closure', 'declare a function and use its name'],
  [ts.SyntaxKind.FunctionExpression]: ['a closure', 'declare a function and use its name'],
  [ts.SyntaxKind.ObjectLiteralExpression]: [
    'an object literal',
    'zeroed<S>() and assign the fields',
  ],
  [ts.SyntaxKind.ArrayLiteralExpression]: [
    'an array literal here',
    'a table is a module-level const: const T: FixedArray<u8> = [1, 2]',
  ],
  [ts.SyntaxKind.TemplateExpression]: ['a template literal', 'write the parts one by one'],
  [ts.SyntaxKind.NoSubstitutionTemplateLiteral]: ['a template literal', 'use "…"'],
  [ts.SyntaxKind.ThisKeyword]: ['`this`', 'take a Ptr to the struct as a parameter'],
  [ts.SyntaxKind.NewExpression]: ['`new`', 'there is no heap: zeroed<S>() is storage in place'],
  [ts.SyntaxKind.AsExpression]: ['`as`', 'i32(x) casts numbers, changetype<T>(x) pointers'],
  [ts.SyntaxKind.SatisfiesExpression]: ['`satisfies`', 'annotate the declaration'],
  [ts.SyntaxKind.TypeAssertionExpression]: ['a type assertion', 'changetype<T>(x)'],
  [ts.SyntaxKind.NonNullExpression]: ['non-null `!`', 'remove it: pointers may always be null'],
  [ts.SyntaxKind.TypeOfExpression]: ['`typeof` of a value', 'types are known when you write'],
  [ts.SyntaxKind.DeleteExpression]: ['`delete`', 'nothing is ever freed'],
  [ts.SyntaxKind.VoidExpression]: ['`void`', 'write the expression as a statement'],
  [ts.SyntaxKind.AwaitExpression]: ['`await`', 'there is no event loop'],
  [ts.SyntaxKind.YieldExpression]: ['a generator', 'write a loop'],
  [ts.SyntaxKind.SpreadElement]: ['spread', 'pass the arguments one by one'],
  [ts.SyntaxKind.RegularExpressionLiteral]: ['a regular expression', 'compare bytes'],
  [ts.SyntaxKind.TaggedTemplateExpression]: ['a template literal', 'call a function'],
  [ts.SyntaxKind.ClassExpression]: ['a class expression', 'declare the class at module level'],
  [ts.SyntaxKind.BigIntLiteral]: ['a BigInt literal', 'leave the n away: u64 has all 64 bits'],
  [ts.SyntaxKind.OmittedExpression]: ['a hole', 'write the element'],
  [ts.SyntaxKind.PostfixUnaryExpression]: ['`++` or `--` as a value', 'write it on its own line'],
};

export function notInDialect(context: Context, node: ts.Node): Expression {
  const [what, instead] = REFUSED[node.kind] ?? [
    ts.SyntaxKind[node.kind],
    'docs/language.md says what there is',
  ];
  return refuse(context, node, 'MU101', { what, instead });
}

function checkName(context: Context, node: ts.Identifier): Expression {
  const name = node.text;
  const at = place(context, node);
  const local = findLocal(context.scope, name);
  if (local === 'pending') return refuse(context, node, 'MU203', { name });
  if (local?.type.kind === 'error') return errorAt(at);
  if (local !== undefined) return { kind: 'local', local, type: local.type, place: at };

  const symbol = lookup(context, name, node);
  if (symbol === undefined) return builtinName(context, node);
  switch (symbol.kind) {
    case 'failed':
      return errorAt(at);
    case 'constant': {
      const constant = constantDeclaration(context, symbol, node);
      if (constant === undefined) return errorAt(at);
      return { kind: 'constant', constant, type: constant.type, value: constant.value, place: at };
    }
    case 'global': {
      const global = globalDeclaration(context, symbol);
      if (global === undefined) return errorAt(at);
      return { kind: 'global', global, type: global.type, place: at };
    }
    case 'provided': {
      const { declaration } = symbol;
      const { type } = declaration;
      if (declaration.kind === 'global')
        return { kind: 'global', global: declaration, type, place: at };
      return { kind: 'constant', constant: declaration, type, value: declaration.value, place: at };
    }
    case 'function': {
      const declaration = functionDeclaration(context, symbol);
      const { parameters, result } = declaration.type;
      const type = symbol.tags.has('interrupt')
        ? context.checker.types.function(parameters, result, 'interrupt')
        : declaration.type;
      return { kind: 'function', function: declaration, type, place: at };
    }
    case 'struct':
    case 'enum':
    case 'alias': {
      const what = symbol.kind === 'struct' ? 'struct' : symbol.kind === 'enum' ? 'enum' : 'type';
      const instead = what === 'enum' ? `name a member: ${name}.X` : `const s = zeroed<${name}>()`;
      return refuse(context, node, 'MU204', { name, what, instead });
    }
  }
}

function builtinName(context: Context, node: ts.Identifier): Expression {
  const name = node.text;
  if (name === 'undefined') {
    const instead = 'use null for pointers';
    return refuse(context, node, 'MU101', { what: '`undefined`', instead });
  }
  if (SCALARS.has(name) || context.checker.types.vectorNamed(name) !== undefined) {
    const instead = `${name}(x) is a cast`;
    return refuse(context, node, 'MU204', { name, what: 'type', instead });
  }
  return refuse(context, node, 'MU201', { name });
}

function checkProperty(context: Context, node: ts.PropertyAccessExpression): Expression {
  const name = node.name.text;
  if (node.questionDotToken !== undefined) {
    const instead = 'test for null, then access';
    return refuse(context, node, 'MU101', { what: 'optional chaining', instead });
  }
  if (ts.isIdentifier(node.expression)) {
    const special = checkQualified(context, node, node.expression, name);
    if (special !== undefined) return special;
  }
  const base = checkExpression(context, node.expression);
  if (base.kind === 'error') return base;
  return fieldOf(context, node, base, name);
}

/** Enum.Member and i32.MAX_VALUE; undefined if the left side is an ordinary value. */
function checkQualified(
  context: Context,
  node: ts.PropertyAccessExpression,
  left: ts.Identifier,
  name: string,
): Expression | undefined {
  if (findLocal(context.scope, left.text) !== undefined) return undefined;
  const symbol = lookup(context, left.text, left);
  if (symbol?.kind === 'enum') {
    const type = enumType(context, symbol);
    const value = type.members.get(name);
    if (value === undefined) {
      const members = [...type.members.keys()].join(', ');
      return refuse(context, node.name, 'MU207', { type: type.name, name, members });
    }
    const at = place(context, node);
    return { kind: 'member', enum: type, name, type, value: BigInt(value), place: at };
  }
  if (symbol !== undefined) return undefined;
  const scalar = SCALARS.get(left.text);
  if (scalar === undefined) return undefined;
  if (scalar.kind === 'integer') {
    const { min, max } = range(scalar, bitsOf(scalar, context.checker.target));
    if (name === 'MIN_VALUE') return literal(context, node, scalar, min);
    if (name === 'MAX_VALUE') return literal(context, node, scalar, max);
  }
  return refuse(context, node, 'MU603', { name: node.getText() });
}

function fieldOf(
  context: Context,
  node: ts.PropertyAccessExpression,
  base: Expression,
  name: string,
): Expression {
  const at = place(context, node);
  if (name === 'length' && (base.type.kind === 'array' || base.type.kind === 'string')) {
    const value =
      base.type.kind === 'array'
        ? BigInt(base.type.count)
        : base.kind === 'string'
          ? BigInt(base.bytes.length)
          : undefined;
    return { kind: 'length', base, type: usize, place: at, value };
  }
  const struct = base.type.kind === 'pointer' ? base.type.to : base.type;
  if (struct.kind !== 'struct') {
    const instead = 'only structs and pointers to structs have fields';
    return refuse(context, node, 'MU303', { operator: `.${name}`, type: base.type.name, instead });
  }
  const field = struct.fields.find((f) => f.name === name);
  if (field === undefined) {
    const fields = struct.fields.map((f) => f.name).join(', ');
    return refuse(context, node.name, 'MU206', { type: struct.name, name, fields });
  }
  return { kind: 'field', base, field: name, type: field.type, place: at };
}

function checkElement(context: Context, node: ts.ElementAccessExpression): Expression {
  if (node.questionDotToken !== undefined) {
    const instead = 'test for null, then access';
    return refuse(context, node, 'MU101', { what: 'optional chaining', instead });
  }
  const base = checkExpression(context, node.expression);
  const index = checkExpression(context, node.argumentExpression);
  if (base.kind === 'error') return base;
  if (index.kind === 'error') return index;
  const { type } = base;
  if (type.kind !== 'pointer' && type.kind !== 'array') {
    return refuse(context, node, 'MU310', { type: type.name });
  }
  if (index.type.kind !== 'integer' && index.type.kind !== 'enum') {
    const instead = `cast: usize(…)`;
    const values = { expected: 'an integer index', actual: index.type.name, instead };
    return refuse(context, node.argumentExpression, 'MU301', values);
  }
  if (type.kind === 'array' && index.value !== undefined) {
    const at = index.value as bigint;
    if (at < 0n || at >= BigInt(type.count)) {
      const last = type.count - 1;
      return refuse(context, node, 'MU404', { index: String(at), type: type.name, last });
    }
  }
  const element = type.kind === 'array' ? type.of : type.to;
  if (element.kind === 'void') return refuse(context, node, 'MU310', { type: type.name });
  return { kind: 'index', base, index, type: element, place: place(context, node) };
}

/** A condition: bool and nothing else. */
export function checkCondition(context: Context, node: ts.Expression): Expression {
  const bool = SCALARS.get('bool') as Type;
  const condition = checkExpression(context, node, bool);
  if (condition.type === bool || condition.kind === 'error') return condition;
  return refuse(context, node, 'MU305', { type: condition.type.name });
}

/**
 * A value: what a variable can hold and an operator can take. Structs and arrays are places, not
 * values.
 */
export function checkValue(context: Context, node: ts.Expression, expected?: Type): Expression {
  const expression = checkExpression(context, node, expected);
  const { kind } = expression.type;
  if (kind === 'struct' || kind === 'array') return refuse(context, node, 'MU312');
  if (kind === 'void' || kind === 'never') {
    const values = {
      expected: expected?.name ?? 'a value',
      actual: kind,
      instead: 'call it on its own line',
    };
    return refuse(context, node, 'MU301', values);
  }
  return expected === undefined ? expression : coerce(context, node, expression, expected);
}

/** Can the expression be assigned to or pointed to? */
export function isPlace(expression: Expression): boolean {
  return ['local', 'global', 'index', 'field'].includes(expression.kind);
}

/** The variable that a place lies in, or undefined if it is reached through a pointer. */
export function rootOf(
  expression: Expression,
): ExpressionOf<'local'> | ExpressionOf<'global'> | undefined {
  if (expression.kind === 'local' || expression.kind === 'global') return expression;
  if (expression.kind !== 'index' && expression.kind !== 'field') return undefined;
  return expression.base.type.kind === 'pointer' ? undefined : rootOf(expression.base);
}

/** The target of an assignment. */
export function checkTarget(context: Context, node: ts.Expression): Expression {
  const target = checkExpression(context, node);
  if (target.kind === 'error') return target;
  if (target.kind === 'constant' || target.kind === 'member') {
    return refuse(context, node, 'MU208', { name: node.getText() });
  }
  if (!isPlace(target)) return refuse(context, node, 'MU311', { what: 'assigned to' });
  if (target.type.kind === 'struct' || target.type.kind === 'array') {
    return refuse(context, node, 'MU312');
  }
  const root = rootOf(target);
  if (root?.kind === 'local' && target === root && !root.local.mutable) {
    return refuse(context, node, 'MU208', { name: root.local.name });
  }
  if (root?.kind === 'global') {
    const { global } = root;
    if (global.table !== undefined || (target === root && !global.mutable)) {
      return refuse(context, node, 'MU208', { name: global.name });
    }
  }
  return target;
}
