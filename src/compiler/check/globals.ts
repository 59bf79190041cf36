/** Module-level storage: `let` variables, zeroed structs and arrays, tables of constants. */

import { resolve } from 'node:path';
import ts from 'typescript';
import type { Expression, FunctionDeclaration, GlobalDeclaration, TableElement } from '../tree.ts';
import { type ArrayType, isNumber, type Type } from '../types.ts';
import {
  type Context,
  type GlobalSymbol,
  moduleContext,
  place,
  refuse,
  report,
} from './context.ts';
import { coerce } from './convert.ts';
import { checkExpression, notInDialect } from './expressions.ts';
import { isCallOf } from './symbols.ts';
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
  if (initial !== undefined && isCallOf(initial, 'everyUnit')) {
    return declareVersions(context, symbol, initial, common);
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
  return isCallOf(node, 'zeroed');
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
  const { node } = symbol;
  if (symbol.mutable) {
    const instead = 'const for a table, zeroed<FixedArray<T, N>>() for storage';
    report(context, node, 'MU101', { what: 'an array literal for a variable', instead });
    return undefined;
  }
  const type = tableType(context, symbol, initial.elements.length);
  if (type === undefined) return undefined;
  const table = tableElements(context, initial, type);
  return table === undefined ? undefined : { ...common, type, table };
}

/** The type that a table says it has; FixedArray<T> leaves the count to the build. */
function tableType(
  context: Context,
  { node, name }: GlobalSymbol,
  count: number,
): ArrayType | undefined {
  const written = node.type;
  if (written === undefined || !ts.isTypeReferenceNode(written) || !written.typeArguments?.length) {
    const example = `const ${name}: FixedArray<u8> = […]`;
    report(context, node, 'MU316', { what: `table "${name}"`, example });
    return undefined;
  }
  if (written.typeArguments.length === 1 && written.typeName.getText() === 'FixedArray') {
    const of = typeFrom(context, written.typeArguments[0]);
    return of.kind === 'error' ? undefined : context.checker.types.array(of, count);
  }
  const type = typeFrom(context, written);
  return type.kind === 'array' ? type : undefined;
}

/**
 * `const table: FixedArray<F> = everyUnit(f)`: f as each unit compiles it, the main unit's first.
 */
function declareVersions(
  context: Context,
  symbol: GlobalSymbol,
  call: ts.CallExpression,
  common: Omit<GlobalDeclaration, 'type' | 'table' | 'initial'>,
): GlobalDeclaration | undefined {
  const { checker } = context;
  const [argument] = call.arguments;
  if (symbol.mutable || call.arguments.length !== 1) {
    refuseEveryUnit(context, call);
    return undefined;
  }
  if (checker.unit !== undefined) {
    const problem = `is used in the unit ${checker.unit}`;
    const instead = 'only the main unit calls the others: import this module there alone';
    report(context, call, 'MU505', { problem, instead });
    return undefined;
  }
  const type = tableType(context, symbol, 1 + checker.further.length);
  const own = type && constantElement(context, argument, type.of);
  if (type === undefined || own?.kind !== 'function') {
    if (own !== undefined) refuseEveryUnit(context, call);
    return undefined;
  }
  const table: TableElement[] = [own];
  for (const { name: unit, root } of checker.further) {
    const { name, place: at, exported, tags } = own.function;
    if (!exported || resolve(at.file) !== resolve(root)) {
      const problem = `finds no "${name}" in the unit ${unit}`;
      const instead = 'a further unit has a version of each function that its root module exports';
      report(context, argument, 'MU505', { problem, instead });
      return undefined;
    }
    const version: FunctionDeclaration = {
      ...own.function,
      ...{ name: `${name}_${unit}`, place: own.place, body: undefined, exported: false },
      ...{ external: true, tags: new Map([['symbol', `${tags.get('symbol') ?? name}_${unit}`]]) },
    };
    checker.functions.push(version);
    table.push({ ...own, function: version });
  }
  return { ...common, type, table };
}

/** Where everyUnit cannot stand. */
export function refuseEveryUnit(context: Context, call: ts.CallExpression): Expression {
  const problem = 'is only the initial value of a const at module level, and takes one function';
  const instead = 'const versions: FixedArray<(x: i32) => void> = everyUnit(f)';
  return refuse(context, call, 'MU505', { problem, instead });
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

/**
 * What can stand in the program's image: numbers, bool, strings, null and addresses of functions.
 */
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
