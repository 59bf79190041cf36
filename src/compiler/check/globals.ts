/** Module-level storage: `let` variables, zeroed structs and arrays, tables of constants. */

import ts from 'typescript';
import type { Expression, GlobalDeclaration, TableElement } from '../tree.ts';
import { type ArrayType, isNumber, type Type } from '../types.ts';
import { type Context, type GlobalSymbol, moduleContext, place, report } from './context.ts';
import { coerce } from './convert.ts';
import { checkExpression, notInDialect } from './expressions.ts';
import { requireValue, typeFrom } from './types.ts';

export function globalDeclaration(
  context: Context,
  symbol: GlobalSymbol,
): GlobalDeclaration | undefined {
  if (symbol.declaration === undefined) {
    const own = moduleContext(context.checker, symbol.module);
    symbol.declaration = declare(own, symbol);
  }
  return symbol.declaration;
}

function declare(context: Context, symbol: GlobalSymbol): GlobalDeclaration | undefined {
  const { node, name, mutable, tags } = symbol;
  const at = place(context, node.name);
  const module = symbol.module.name;
  const linked = `${symbol.module.file}:${name}`;
  const common = {
    kind: 'global' as const,
    name,
    module,
    symbol: linked,
    place: at,
    mutable,
    tags,
  };
  const initial = node.initializer;

  if (initial !== undefined && isZeroed(initial)) {
    if (mutable) {
      report(context, node, 'MU407', { type: initial.typeArguments?.[0]?.getText() ?? 'S' });
      return undefined;
    }
    const type = zeroedType(context, initial);
    return type === undefined ? undefined : { ...common, type };
  }
  if (initial !== undefined && ts.isArrayLiteralExpression(initial)) {
    return declareTable(context, symbol, initial, common);
  }

  if (node.type === undefined && initial === undefined) {
    report(context, node, 'MU316', { what: `"${name}"`, example: `let ${name}: i32 = 0` });
    return undefined;
  }
  const wanted = node.type === undefined ? undefined : typeFrom(context, node.type);
  if (wanted?.kind === 'error') return undefined;
  if (
    wanted !== undefined &&
    requireValue(context, node.type ?? node, wanted, 'a variable') !== wanted
  ) {
    return undefined;
  }
  if (initial === undefined) return { ...common, type: wanted as Type };
  const value = constantElement(context, initial, wanted);
  if (value === undefined) return undefined;
  requireValue(context, node, value.type, 'a variable');
  return { ...common, type: value.type, initial: value };
}

export function isZeroed(node: ts.Expression): node is ts.CallExpression {
  return (
    ts.isCallExpression(node) &&
    ts.isIdentifier(node.expression) &&
    node.expression.text === 'zeroed'
  );
}

/** The T of zeroed<T>(): a struct or fixed array. */
export function zeroedType(context: Context, node: ts.CallExpression): Type | undefined {
  const argument = node.typeArguments?.[0];
  if (argument === undefined || node.typeArguments?.length !== 1 || node.arguments.length > 0) {
    const actual = node.typeArguments?.length ?? 0;
    report(context, node, 'MU209', { name: 'zeroed', expected: 1, actual });
    return undefined;
  }
  const type = typeFrom(context, argument);
  if (type.kind === 'error') return undefined;
  if (type.kind !== 'struct' && type.kind !== 'array') {
    const instead = `let x: ${type.name} = 0`;
    report(context, argument, 'MU307', { type: type.name, what: 'zeroed storage', instead });
    return undefined;
  }
  return type;
}

function declareTable(
  context: Context,
  symbol: GlobalSymbol,
  initial: ts.ArrayLiteralExpression,
  common: Omit<GlobalDeclaration, 'type' | 'table' | 'initial'>,
): GlobalDeclaration | undefined {
  const { node, name } = symbol;
  if (symbol.mutable) {
    const instead = 'const for a table, zeroed<FixedArray<T, N>>() for storage';
    report(context, node, 'MU101', { what: 'an array literal for a variable', instead });
    return undefined;
  }
  const written = node.type;
  if (written === undefined || !ts.isTypeReferenceNode(written) || !written.typeArguments?.length) {
    const example = `const ${name}: FixedArray<u8> = […]`;
    report(context, node, 'MU316', { what: `table "${name}"`, example });
    return undefined;
  }
  let type: Type;
  if (written.typeArguments.length === 1 && written.typeName.getText() === 'FixedArray') {
    const of = typeFrom(context, written.typeArguments[0]);
    if (of.kind === 'error') return undefined;
    type = context.checker.types.array(of, initial.elements.length);
  } else {
    type = typeFrom(context, written);
  }
  if (type.kind !== 'array') return undefined;
  const table = tableElements(context, initial, type);
  return table === undefined ? undefined : { ...common, type, table };
}

function tableElements(
  context: Context,
  node: ts.ArrayLiteralExpression,
  type: ArrayType,
): TableElement[] | undefined {
  const actual = node.elements.length;
  if (actual !== type.count || actual === 0) {
    report(context, node, 'MU405', { actual, expected: Math.max(type.count, 1) });
    return undefined;
  }
  const elements: TableElement[] = [];
  for (const element of node.elements) {
    if (ts.isArrayLiteralExpression(element) && type.of.kind === 'array') {
      const inner = tableElements(context, element, type.of);
      if (inner === undefined) return undefined;
      elements.push(inner);
    } else {
      if (ts.isSpreadElement(element) || ts.isOmittedExpression(element)) {
        notInDialect(context, element);
        return undefined;
      }
      const value = constantElement(context, element, type.of);
      if (value === undefined) return undefined;
      elements.push(value);
    }
  }
  return elements;
}

/** What can stand in the program's image: numbers, bool, strings, null and addresses of functions. */
function constantElement(
  context: Context,
  node: ts.Expression,
  wanted: Type | undefined,
): Expression | undefined {
  const found = checkExpression(context, node, wanted);
  const value = wanted === undefined ? found : coerce(context, node, found, wanted);
  if (value.kind === 'error') return undefined;
  const known =
    value.value !== undefined && (isNumber(value.type) || value.type.kind !== 'pointer');
  if (known || value.kind === 'string' || value.kind === 'null' || value.kind === 'function') {
    return value;
  }
  report(context, node, 'MU401', { what: 'an initial value' });
  return undefined;
}
