/** Phase 2a: the names of every module, before any of their meanings. */

import ts from 'typescript';
import type { SourceModule } from '../parse/modules.ts';
import {
  type Checker,
  type Context,
  type ImportSymbol,
  type ModuleSymbol,
  moduleContext,
  place,
  report,
} from './context.ts';
import { readTags } from './tags.ts';

/** Statements at module level that are not declarations: assembly, or mistakes. */
export interface LooseStatement {
  module: SourceModule;
  node: ts.ExpressionStatement;
}

export function collectSymbols(checker: Checker, module: SourceModule): LooseStatement[] {
  const names = new Map<string, ModuleSymbol>();
  checker.symbols.set(module, names);
  checker.reexports.set(module, new Map());
  const context = moduleContext(checker, module);
  const loose: LooseStatement[] = [];

  const add = (symbol: ModuleSymbol, at: ts.Node) => {
    if (names.has(symbol.name)) report(context, at, 'MU202', { name: symbol.name });
    else names.set(symbol.name, symbol);
  };

  for (const node of module.source.statements) {
    const common = { module, exported: isExported(node) };
    if (ts.isFunctionDeclaration(node)) {
      checkModifiers(context, node);
      if (node.name === undefined) {
        report(context, node, 'MU101', { what: 'a function without a name', instead: 'name it' });
        continue;
      }
      const tags = readTags(context, node, 'function');
      const name = node.name.text;
      add({ kind: 'function', name, ...common, node, tags, declaration: undefined }, node.name);
    } else if (ts.isVariableStatement(node)) {
      checkModifiers(context, node);
      collectVariables(context, node, common, add);
    } else if (ts.isClassDeclaration(node)) {
      checkModifiers(context, node);
      if (node.name === undefined) {
        report(context, node, 'MU101', { what: 'a class without a name', instead: 'name it' });
        continue;
      }
      const name = node.name.text;
      const type = checker.types.struct(name, module.name, place(context, node));
      const tags = readTags(context, node, 'struct');
      add({ kind: 'struct', name, ...common, node, type, state: 'new', tags }, node.name);
    } else if (ts.isEnumDeclaration(node)) {
      const name = node.name.text;
      const type = checker.types.enum(name, module.name, place(context, node));
      add({ kind: 'enum', name, ...common, node, type, state: 'new' }, node.name);
    } else if (ts.isTypeAliasDeclaration(node)) {
      const name = node.name.text;
      add({ kind: 'alias', name, ...common, node, state: 'new', type: undefined }, node.name);
    } else if (ts.isImportDeclaration(node)) {
      collectImports(context, node, add);
    } else if (ts.isExpressionStatement(node)) {
      loose.push({ module, node });
    } else if (ts.isExportDeclaration(node)) {
      collectReexports(context, node);
    } else if (ts.isExportAssignment(node)) {
      report(context, node, 'MU005', { what: 'default export' });
    } else if (ts.isInterfaceDeclaration(node)) {
      report(context, node, 'MU101', { what: 'interface', instead: 'a struct is a class' });
    } else if (ts.isModuleDeclaration(node)) {
      report(context, node, 'MU101', { what: 'namespace', instead: 'a module is a file' });
    } else if (!ts.isEmptyStatement(node)) {
      report(context, node, 'MU102');
    }
  }
  return loose;
}

function isExported(node: ts.Statement): boolean {
  return (
    ts.canHaveModifiers(node) &&
    (ts.getModifiers(node) ?? []).some((m) => m.kind === ts.SyntaxKind.ExportKeyword)
  );
}

/**
 * Everything but `export` is something else than it seems: `default`, `async`, `abstract`,
 * `declare`.
 */
function checkModifiers(context: Context, node: ts.Statement): void {
  const modifiers = ts.canHaveModifiers(node) ? ts.getModifiers(node) : undefined;
  for (const modifier of modifiers ?? []) {
    if (modifier.kind === ts.SyntaxKind.ExportKeyword) continue;
    if (modifier.kind === ts.SyntaxKind.DefaultKeyword) {
      report(context, modifier, 'MU005', { what: 'default export' });
    } else {
      const instead = 'only `export` can stand before a declaration';
      report(context, modifier, 'MU101', { what: `\`${modifier.getText()}\``, instead });
    }
  }
  if (ts.canHaveDecorators(node)) {
    for (const decorator of ts.getDecorators(node) ?? []) {
      const instead = 'mark functions and classes by JSDoc tags';
      report(context, decorator, 'MU101', { what: 'decorator', instead });
    }
  }
}

function collectVariables(
  context: Context,
  node: ts.VariableStatement,
  common: { module: SourceModule; exported: boolean },
  add: (symbol: ModuleSymbol, at: ts.Node) => void,
): void {
  const flags = node.declarationList.flags & ts.NodeFlags.BlockScoped;
  if (flags !== ts.NodeFlags.Const && flags !== ts.NodeFlags.Let) {
    report(context, node, 'MU101', { what: '`var`', instead: 'use const or let' });
  }
  const tags = readTags(context, node, 'storage');
  for (const declaration of node.declarationList.declarations) {
    if (!ts.isIdentifier(declaration.name)) {
      const instead = 'declare the variables one by one';
      report(context, declaration.name, 'MU101', { what: 'destructuring', instead });
      continue;
    }
    const name = declaration.name.text;
    if (flags === ts.NodeFlags.Const && !isStorage(declaration)) {
      const state = 'new';
      const constant = { kind: 'constant' as const, name, ...common, node: declaration, state };
      add({ ...constant, state: 'new', declaration: undefined }, declaration.name);
    } else {
      const mutable = flags !== ts.NodeFlags.Const;
      const global = { kind: 'global' as const, name, ...common, node: declaration, mutable, tags };
      add({ ...global, declaration: undefined }, declaration.name);
    }
  }
}

export function isCallOf(node: ts.Expression, name: string): node is ts.CallExpression {
  return (
    ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === name
  );
}

/** Is a `const` a place (zeroed storage, a table) rather than a value? */
function isStorage(node: ts.VariableDeclaration): boolean {
  const initial = node.initializer;
  if (initial === undefined) return false;
  if (ts.isArrayLiteralExpression(initial)) return true;
  return isCallOf(initial, 'zeroed') || isCallOf(initial, 'everyUnit');
}

function collectImports(
  context: Context,
  node: ts.ImportDeclaration,
  add: (symbol: ModuleSymbol, at: ts.Node) => void,
): void {
  const clause = node.importClause;
  if (clause === undefined) return; // for the module's assembly, and its functions with @symbol
  if (clause.name !== undefined) report(context, clause.name, 'MU005', { what: 'default import' });
  const bindings = clause.namedBindings;
  if (bindings === undefined) return;
  if (ts.isNamespaceImport(bindings)) {
    report(context, bindings, 'MU005', { what: 'namespace import' });
    return;
  }
  const specifier = (node.moduleSpecifier as ts.StringLiteral).text;
  const from = context.module.imports.get(specifier);
  for (const element of bindings.elements) {
    const imported = (element.propertyName ?? element.name).text;
    const name = element.name.text;
    const module = context.module;
    add({ kind: 'import', name, module, exported: false, node: element, from, imported }, element);
  }
}

/** `export { a, b as c } from "./file.ts"`; an empty `export {}` says nothing. */
function collectReexports(context: Context, node: ts.ExportDeclaration): void {
  const { exportClause, moduleSpecifier } = node;
  if (exportClause === undefined || !ts.isNamedExports(exportClause)) {
    report(context, node, 'MU005', { what: 're-export of everything' });
    return;
  }
  if (moduleSpecifier === undefined) {
    if (exportClause.elements.length > 0) report(context, node, 'MU005', { what: 'export list' });
    return;
  }
  const { module } = context;
  const from = module.imports.get((moduleSpecifier as ts.StringLiteral).text);
  const names = context.checker.reexports.get(module) as Map<string, ImportSymbol>;
  for (const element of exportClause.elements) {
    const imported = (element.propertyName ?? element.name).text;
    const name = element.name.text;
    const symbol = context.checker.symbols.get(module)?.get(name);
    if (names.has(name) || symbol?.exported) report(context, element, 'MU202', { name });
    else
      names.set(name, {
        kind: 'import',
        name,
        module,
        exported: true,
        node: element,
        from,
        imported,
      });
  }
}
