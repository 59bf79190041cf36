/** Phase 2: the whole program, from its modules to the typed tree. */

import type ts from 'typescript';
import type { ModuleGraph, SourceModule } from '../parse/modules.ts';
import type { Target } from '../target.ts';
import type { FunctionDeclaration, Program } from '../tree.ts';
import { i32, stringType, TypeTable, voidType } from '../types.ts';
import { checkAssembly, isAssembly } from './assembly.ts';
import { constantDeclaration } from './constants.ts';
import {
  type Checker,
  type ModuleSymbol,
  moduleContext,
  report,
  type UnitRoot,
} from './context.ts';
import { functionDeclaration } from './functions.ts';
import { globalDeclaration } from './globals.ts';
import { follow, lookup } from './lookup.ts';
import { checkBody } from './statements.ts';
import { collectSymbols, type LooseStatement } from './symbols.ts';
import { aliasType, enumType, structType } from './types.ts';

/**
 * Every function of every module is checked, used or not; only what is reachable is emitted later.
 */
export function checkProgram(
  graph: ModuleGraph,
  target: Target,
  { unit, further = [] }: { unit?: string; further?: readonly UnitRoot[] } = {},
): {
  program: Program;
  checker: Checker;
} {
  const checker: Checker = {
    target,
    unit,
    further,
    types: new TypeTable(),
    diagnostics: [...graph.diagnostics],
    symbols: new Map(),
    reexports: new Map(),
    provided: new Map(),
    queue: [],
    functions: [],
    panic: undefined,
  };
  const loose = graph.modules.flatMap((module) => collectSymbols(checker, module));
  const roots: FunctionDeclaration[] = [];
  const program: Program = {
    unit,
    functions: checker.functions,
    constants: [],
    globals: [],
    structs: [],
    structAlignments: new Map(),
    enums: [],
    roots,
    assembly: [],
    panic: undefined,
  };
  for (const [module, symbols] of checker.symbols) {
    for (const symbol of symbols.values()) declare(checker, program, module, symbol, graph.root);
  }
  for (const [module, symbols] of checker.reexports) {
    const context = moduleContext(checker, module);
    for (const symbol of symbols.values()) {
      const what = 're-export by the root module';
      if (module === graph.root) report(context, symbol.node, 'MU005', { what });
      else follow(context, symbol, symbol.node, [symbol]);
    }
  }
  for (const statement of loose) checkLoose(checker, statement, program);
  for (const { symbol, declaration } of checker.queue) {
    checkBody(moduleContext(checker, symbol.module), symbol.node, declaration);
  }
  for (const declaration of checker.provided.values()) {
    if (declaration.kind === 'constant') program.constants.unshift(declaration);
    else program.globals.unshift(declaration);
  }
  program.panic = checker.panic;
  return { program, checker };
}

function declare(
  checker: Checker,
  program: Program,
  module: SourceModule,
  symbol: ModuleSymbol,
  root: SourceModule | undefined,
): void {
  const context = moduleContext(checker, module);
  switch (symbol.kind) {
    case 'struct':
      program.structs.push(structType(context, symbol));
      if (symbol.tags.has('align')) {
        program.structAlignments.set(symbol.type, Number(symbol.tags.get('align')));
      }
      break;
    case 'enum':
      program.enums.push(enumType(context, symbol));
      break;
    case 'alias':
      aliasType(context, symbol);
      break;
    case 'constant': {
      const found = constantDeclaration(context, symbol, symbol.node);
      if (found !== undefined) program.constants.push(found);
      break;
    }
    case 'global': {
      const found = globalDeclaration(context, symbol);
      if (found !== undefined) program.globals.push(found);
      break;
    }
    case 'import':
      lookup(context, symbol.name, symbol.node);
      break;
    case 'function': {
      const declaration = functionDeclaration(context, symbol);
      const isSymbol = symbol.tags.has('symbol') && program.unit === undefined;
      if ((symbol.exported && module === root) || isSymbol) {
        program.roots.push(declaration);
      }
      if (symbol.tags.has('panic')) declarePanic(checker, module, symbol.node, declaration);
      if (symbol.tags.has('interrupt')) checkInterrupt(checker, module, symbol.node, declaration);
      break;
    }
  }
}

function declarePanic(
  checker: Checker,
  module: SourceModule,
  node: ts.FunctionDeclaration,
  declaration: FunctionDeclaration,
): void {
  const context = moduleContext(checker, module);
  const [message, file, line] = declaration.type.parameters;
  if (message !== stringType || file !== stringType || line !== i32) {
    report(context, node, 'MU502', {
      tag: '@panic',
      problem: `is on a function of type ${declaration.type.name}`,
      instead: 'it takes (message: string, file: string, line: i32)',
    });
  } else if (checker.panic !== undefined) {
    const { file: where, line: first } = checker.panic.place;
    report(context, node, 'MU503', { what: '@panic function', first: `${where}:${first}` });
  } else {
    checker.panic = declaration;
  }
}

/** (frame: Ptr<…>) => void */
function checkInterrupt(
  checker: Checker,
  module: SourceModule,
  node: ts.FunctionDeclaration,
  declaration: FunctionDeclaration,
): void {
  const { parameters, result } = declaration.type;
  if (parameters.length === 1 && parameters[0].kind === 'pointer' && result === voidType) return;
  report(moduleContext(checker, module), node, 'MU502', {
    tag: '@interrupt',
    problem: `is on a function of type ${declaration.type.name}`,
    instead: 'it takes (frame: Ptr<Frame>) and returns void',
  });
}

function checkLoose(checker: Checker, { module, node }: LooseStatement, program: Program): void {
  const context = moduleContext(checker, module);
  if (!isAssembly(node.expression)) {
    report(context, node, 'MU102');
    return;
  }
  const assembly = checkAssembly(context, node.expression);
  if (assembly !== undefined && program.unit === undefined) program.assembly.push(assembly);
}
