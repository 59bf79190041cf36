/**
 * What the checking of a program shares: its symbols, its work list, its diagnostics; and the
 * scopes of one function.
 */

import type ts from 'typescript';
import { type Diagnostic, type DiagnosticCode, diagnostic, type Place } from '../diagnostics.ts';
import { type Module, placeOf, type SourceModule } from '../parse/modules.ts';
import type { Target } from '../target.ts';
import type {
  ConstantDeclaration,
  Expression,
  FunctionDeclaration,
  GlobalDeclaration,
  Local,
  Tags,
} from '../tree.ts';
import { type EnumType, errorType, type StructType, type Type, type TypeTable } from '../types.ts';

/**
 * A name at module level. What it means is worked out when it is first used, so that order does not
 * matter.
 */
export type ModuleSymbol =
  | FunctionSymbol
  | ConstantSymbol
  | GlobalSymbol
  | StructSymbol
  | EnumSymbol
  | AliasSymbol
  | ImportSymbol;

interface SymbolCommon {
  name: string;
  module: SourceModule;
  exported: boolean;
}

export interface FunctionSymbol extends SymbolCommon {
  kind: 'function';
  node: ts.FunctionDeclaration;
  tags: Tags;
  declaration: FunctionDeclaration | undefined;
}

/** `const` of a scalar. state: whether its value is being worked out, to find circles. */
export interface ConstantSymbol extends SymbolCommon {
  kind: 'constant';
  node: ts.VariableDeclaration;
  state: 'new' | 'working' | 'done';
  declaration: ConstantDeclaration | undefined;
}

/** `let`, zeroed storage and tables. */
export interface GlobalSymbol extends SymbolCommon {
  kind: 'global';
  node: ts.VariableDeclaration;
  mutable: boolean;
  tags: Tags;
  declaration: GlobalDeclaration | undefined;
}

export interface StructSymbol extends SymbolCommon {
  kind: 'struct';
  node: ts.ClassDeclaration;
  type: StructType;
  state: 'new' | 'working' | 'done';
  tags: Tags;
}

export interface EnumSymbol extends SymbolCommon {
  kind: 'enum';
  node: ts.EnumDeclaration;
  type: EnumType;
  state: 'new' | 'working' | 'done';
}

export interface AliasSymbol extends SymbolCommon {
  kind: 'alias';
  node: ts.TypeAliasDeclaration;
  state: 'new' | 'working' | 'done';
  type: Type | undefined;
}

/**
 * An import, or a re-export: that has no name in its own module, so it stands in
 * `Checker.reexports`.
 */
export interface ImportSymbol extends SymbolCommon {
  kind: 'import';
  node: ts.ImportSpecifier | ts.ExportSpecifier;
  from: Module | undefined;
  imported: string;
}

/** A further unit, as the main unit knows it: guest/…/transformer.ts, compiled again as `avx2`. */
export interface UnitRoot {
  name: string;
  /** path of its root module */
  root: string;
}

/** State of the checking of one program. */
export interface Checker {
  target: Target;
  /** the unit that is checked, if it is a further one */
  unit: string | undefined;
  /** of the main unit: the further ones, whose functions everyUnit names */
  further: readonly UnitRoot[];
  types: TypeTable;
  diagnostics: Diagnostic[];
  /** module → its names */
  symbols: Map<SourceModule, Map<string, ModuleSymbol>>;
  /** module → what it re-exports */
  reexports: Map<SourceModule, Map<string, ImportSymbol>>;
  /** names of the build's constants modules that were used: "model.DIM" */
  provided: Map<string, ConstantDeclaration | GlobalDeclaration>;
  /** functions whose body waits to be checked */
  queue: { symbol: FunctionSymbol; declaration: FunctionDeclaration }[];
  functions: FunctionDeclaration[];
  panic: FunctionDeclaration | undefined;
}

/** Where an expression stands: in a function, or at module level (result undefined). */
export interface Context {
  checker: Checker;
  module: SourceModule;
  scope: Scope | undefined;
  function: FunctionDeclaration | undefined;
}

/**
 * Names of a block. 'pending': declared further down, so that an outer variable of that name is not
 * meant.
 */
export interface Scope {
  parent: Scope | undefined;
  names: Map<string, Local | 'pending'>;
}

export function report(
  context: Context,
  node: ts.Node,
  code: DiagnosticCode,
  values: Record<string, string | number> = {},
): void {
  reportAt(context.checker, placeOf(node, context.module.file), code, values);
}

export function reportAt(
  checker: Checker,
  place: Place,
  code: DiagnosticCode,
  values: Record<string, string | number> = {},
): void {
  checker.diagnostics.push(diagnostic(code, place, values));
}

/**
 * Reports and gives the expression that stands for what could not be checked; it causes no further
 * complaints.
 */
export function refuse(
  context: Context,
  node: ts.Node,
  code: DiagnosticCode,
  values: Record<string, string | number> = {},
): Expression {
  report(context, node, code, values);
  return errorAt(placeOf(node, context.module.file));
}

export function errorAt(place: Place): Expression {
  return { kind: 'error', type: errorType, place };
}

export function place(context: Context, node: ts.Node): Place {
  return placeOf(node, context.module.file);
}

export function innerScope(context: Context): Context {
  return { ...context, scope: { parent: context.scope, names: new Map() } };
}

/** A context at module level, for types and constants that a declaration mentions. */
export function moduleContext(checker: Checker, module: SourceModule): Context {
  return { checker, module, scope: undefined, function: undefined };
}

export function findLocal(scope: Scope | undefined, name: string): Local | 'pending' | undefined {
  for (let s = scope; s !== undefined; s = s.parent) {
    const found = s.names.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}
