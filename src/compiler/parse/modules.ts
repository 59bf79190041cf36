/**
 * Phase 1: from the root file to all modules it reaches, each parsed by TypeScript's own parser.
 * Relative imports are files; bare names are looked up in the build's table of files and constants.
 */

import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import ts from 'typescript';
import { type Diagnostic, diagnostic, type Place } from '../diagnostics.ts';
import { type BareModules, resolveBare } from './bare.ts';
import type { Constants } from './constants.ts';

/** One source file of the program. */
export interface SourceModule {
  kind: 'source';
  /** absolute path: its identity */
  path: string;
  /** as diagnostics and #line write it */
  file: string;
  /** the file's name without extension: prefix where names of modules collide */
  name: string;
  source: ts.SourceFile;
  /**
   * specifier of an import or re-export → module; a specifier that could not be resolved is missing
   */
  imports: Map<string, Module>;
}

/** A table of constants that the build gives, e.g. "model". */
export interface ConstantsModule {
  kind: 'constants';
  name: string;
  constants: Constants;
}

export type Module = SourceModule | ConstantsModule;

export interface ModuleGraph {
  /** undefined if the root file cannot be read */
  root: SourceModule | undefined;
  /** in order of first import, depth first, imports before the file that imports them */
  modules: SourceModule[];
  diagnostics: Diagnostic[];
}

/** The path as people want to read it: relative if it lies below the working directory. */
function displayPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}

export function placeOf(node: ts.Node, file?: string): Place {
  const source = node.getSourceFile();
  const start = node.getStart(source);
  const { line, character } = source.getLineAndCharacterOfPosition(start);
  return { file: file ?? displayPath(source.fileName), line: line + 1, column: character + 1 };
}

export function loadModules(
  entry: string,
  bare: BareModules,
  read: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): ModuleGraph {
  const loaded = new Map<string, SourceModule>();
  const constants = new Map<string, ConstantsModule>();
  /** bare names whose file is not there: each is reported once */
  const missing = new Set<string>();
  const graph: ModuleGraph = { root: undefined, modules: [], diagnostics: [] };

  /** absent: what to say if the file cannot be read */
  function load(path: string, absent: Diagnostic): SourceModule | undefined {
    const known = loaded.get(path);
    if (known !== undefined) return known;
    let text: string;
    try {
      text = read(path);
    } catch {
      graph.diagnostics.push(absent);
      return undefined;
    }
    const source = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true, ts.ScriptKind.TS);
    const file = displayPath(path);
    const name = (path.split('/').pop() ?? path).replace(/\.ts$/, '').replace(/\W/g, '_');
    const module: SourceModule = { kind: 'source', path, file, name, source, imports: new Map() };
    loaded.set(path, module);
    reportSyntax(module);
    for (const statement of source.statements) {
      const isImport = ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement);
      if (isImport && statement.moduleSpecifier !== undefined) {
        resolveImport(module, statement.moduleSpecifier);
      }
    }
    graph.modules.push(module);
    return module;
  }

  function loadFile(path: string, from: Place): SourceModule | undefined {
    return load(path, diagnostic('MU002', from, { path: displayPath(path) }));
  }

  function resolveImport(module: SourceModule, specifier: ts.Expression): void {
    if (!ts.isStringLiteral(specifier)) return;
    const name = specifier.text;
    const at = placeOf(specifier, module.file);
    let target: Module | undefined;
    if (name.startsWith('.')) {
      target = loadFile(resolve(dirname(module.path), name), at);
    } else {
      target = resolveName(name, at);
    }
    if (target !== undefined) module.imports.set(name, target);
  }

  function resolveName(name: string, at: Place): Module | undefined {
    const provided = resolveBare(bare, name);
    if (provided === undefined) {
      graph.diagnostics.push(diagnostic('MU003', at, { name }));
      return undefined;
    }
    if (typeof provided !== 'string') {
      const known = constants.get(name) ?? { kind: 'constants', name, constants: provided };
      constants.set(name, known);
      return known;
    }
    if (missing.has(name)) return undefined;
    const path = resolve(provided);
    const found = load(path, diagnostic('MU006', at, { name, path: displayPath(path) }));
    if (found === undefined) missing.add(name);
    return found;
  }

  function reportSyntax(module: SourceModule): void {
    // parseDiagnostics is how createSourceFile hands out syntax errors; its type is internal to
    // TypeScript.
    const { parseDiagnostics } = module.source as unknown as {
      parseDiagnostics: ts.DiagnosticWithLocation[];
    };
    for (const error of parseDiagnostics) {
      const { line, character } = module.source.getLineAndCharacterOfPosition(error.start);
      const at = { file: module.file, line: line + 1, column: character + 1 };
      const text = ts.flattenDiagnosticMessageText(error.messageText, ' ');
      graph.diagnostics.push(diagnostic('MU001', at, { text }));
    }
  }

  graph.root = loadFile(resolve(entry), { file: displayPath(resolve(entry)), line: 1, column: 1 });
  return graph;
}
