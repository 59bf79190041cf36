/** From a name to what it stands for, through imports. */

import type ts from 'typescript';
import type { Place } from '../diagnostics.ts';
import type { Constant } from '../parse/constants.ts';
import type { ConstantsModule } from '../parse/modules.ts';
import type { ConstantDeclaration, ConstantValue, GlobalDeclaration } from '../tree.ts';
import { bool, f64, i32, i64, SCALARS, stringType, type Type, u64 } from '../types.ts';
import {
  type Context,
  type ImportSymbol,
  type ModuleSymbol,
  moduleContext,
  place,
  report,
} from './context.ts';
import { foldCast, represents } from './fold.ts';

export type Meaning =
  | Exclude<ModuleSymbol, ImportSymbol>
  | { kind: 'provided'; declaration: ConstantDeclaration | GlobalDeclaration }
  /** an import that has been reported */
  | { kind: 'failed' };

/**
 * What a name of the module means; undefined if the module does not know it (it may still be a
 * builtin).
 */
export function lookup(context: Context, name: string, node: ts.Node): Meaning | undefined {
  const symbol = context.checker.symbols.get(context.module)?.get(name);
  return symbol?.kind === 'import' ? follow(context, symbol, node) : symbol;
}

/**
 * What an import or a re-export stands for. node: where it is used; passed: re-exports on the way
 * there.
 */
export function follow(
  context: Context,
  symbol: ImportSymbol,
  node: ts.Node,
  passed: readonly ImportSymbol[] = [],
): Meaning {
  const { checker } = context;
  const { from, imported } = symbol;
  if (from === undefined) return { kind: 'failed' };
  if (from.kind === 'constants') {
    if (!Object.hasOwn(from.constants, imported)) {
      report(context, symbol.node, 'MU004', { module: from.name, name: imported });
      return { kind: 'failed' };
    }
    return { kind: 'provided', declaration: provided(context, from, imported, node) };
  }
  const own = checker.symbols.get(from)?.get(imported);
  if (own?.exported && own.kind !== 'import') return own;
  const onward = checker.reexports.get(from)?.get(imported);
  if (onward !== undefined && !passed.includes(onward)) {
    return follow(moduleContext(checker, from), onward, onward.node, [...passed, onward]);
  }
  report(moduleContext(checker, symbol.module), symbol.node, 'MU004', {
    module: from.file,
    name: imported,
  });
  return { kind: 'failed' };
}

/**
 * A constant of the build, declared when it is first used, so that unused ones leave no trace in
 * the C.
 */
function provided(
  context: Context,
  from: ConstantsModule,
  name: string,
  node: ts.Node,
): ConstantDeclaration | GlobalDeclaration {
  const { checker } = context;
  const key = `${from.name}.${name}`;
  let declaration = checker.provided.get(key);
  if (declaration === undefined) {
    const module = from.name;
    const at = place(context, node);
    const constant = from.constants[name];
    if (isStrings(constant)) {
      declaration = stringTable(context, name, module, constant, at);
      checker.provided.set(key, declaration);
      return declaration;
    }
    const { type, values, table } = typed(constant);
    for (const value of values) {
      if (type.kind !== 'float' && !represents(type, value, checker.target)) {
        const range = 'given by the build: correct the value or its type there';
        report(context, node, 'MU304', { value: String(value), type: type.name, range });
      }
    }
    const folded = values.map((value) => foldCast(value, type, checker.target) ?? value);
    declaration = table
      ? {
          kind: 'global',
          name,
          module,
          symbol: key,
          place: at,
          type: checker.types.array(type, values.length),
          table: folded.map((value) => ({ kind: 'literal', type, place: at, value })),
          mutable: false,
          tags: new Map(),
        }
      : { kind: 'constant', name, module, place: at, type, value: folded[0] };
    checker.provided.set(key, declaration);
  }
  return declaration;
}

function isStrings(constant: Constant): constant is readonly string[] {
  return Array.isArray(constant) && constant.some((value) => typeof value === 'string');
}

function stringTable(
  { checker }: Context,
  name: string,
  module: string,
  texts: readonly string[],
  at: Place,
): GlobalDeclaration {
  const encoder = new TextEncoder();
  const element = (text: string) => ({
    kind: 'string' as const,
    type: stringType,
    place: at,
    bytes: encoder.encode(text),
  });
  return {
    kind: 'global',
    name,
    module,
    symbol: `${module}.${name}`,
    place: at,
    type: checker.types.array(stringType, texts.length),
    table: texts.map(element),
    mutable: false,
    tags: new Map(),
  };
}

function typed(constant: Exclude<Constant, readonly string[]>): {
  type: Type;
  values: ConstantValue[];
  table: boolean;
} {
  if (typeof constant === 'boolean') return { type: bool, values: [constant], table: false };
  if (typeof constant === 'number' || typeof constant === 'bigint') {
    const values = [exact(constant)];
    return { type: commonType(values), values, table: false };
  }
  if ('type' in constant) {
    const type = SCALARS.get(constant.type) as Type;
    const list = constant.value;
    const table = typeof list === 'object';
    const values = (table ? list : [list]).map((v) =>
      type.kind === 'float' ? Number(v) : exact(v),
    );
    return { type, values, table };
  }
  const values = constant.map(exact);
  return { type: commonType(values), values, table: true };
}

function exact(value: number | bigint): bigint | number {
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
}

/** i32 if all are integers that fit, else i64, else u64; f64 if one is not an integer. */
function commonType(values: (bigint | number)[]): Type {
  if (values.some((value) => typeof value === 'number')) return f64;
  const fits = (bits: number) => values.every((v) => BigInt.asIntN(bits, v as bigint) === v);
  if (fits(32)) return i32;
  return fits(64) ? i64 : u64;
}
