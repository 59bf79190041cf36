/**
 * The compiler: guest TypeScript → one readable C file. Phases in order: parse/ (files, modules),
 * check/ (types, constants: a typed tree), emit/ (C). docs/language.md is its
 * specification.
 */

import { layoutOf } from './check/layout.ts';
import { checkProgram } from './check/program.ts';
import type { Diagnostic } from './diagnostics.ts';
import { emitProgram } from './emit/program.ts';
import type { BareModules } from './parse/bare.ts';
import { loadModules } from './parse/modules.ts';
import { pointerBytes, type Target } from './target.ts';
import { checkLinks, compileUnits, sharedStorage, type UnitInput, unitsOf } from './units.ts';

export {
  DIAGNOSTICS,
  type Diagnostic,
  formatDiagnostic,
  formatDiagnostics,
} from './diagnostics.ts';
export { type BareModules, resolveBare } from './parse/bare.ts';
export type { Constant, Constants, ConstantType } from './parse/constants.ts';
export { ARCHITECTURES, type Architecture, type Target } from './target.ts';
export type { UnitInput } from './units.ts';

export interface CompileInput {
  /** path of the root module: its exports are visible outside */
  entry: string;
  /**
   * what bare names mean: { machine: 'guest/machine/pc/machine.ts', 'arch/': 'guest/arch/x86_64/',
   * model: { DIM: 288 } }
   */
  modules?: BareModules;
  target: Target;
  /** traps that name file and line: bounds, null, lossy casts, division, assert */
  checked?: boolean;
  /** modules that are compiled again, each to C of its own */
  units?: readonly UnitInput[];
  /** source text by absolute path; default: the file system */
  read?: (path: string) => string;
}

/**
 * A variable, struct or array at module level that the program uses: memory that it has from its
 * start on.
 */
export interface Storage {
  /** as diagnostics write it */
  file: string;
  name: string;
  bytes: number;
}

/** Where a declaration of the program stands: its first line, or that of its name. */
export interface Declaration {
  /** as diagnostics write it; 'model' and the like where the build gives constants */
  file: string;
  line: number;
}

export interface CompileOutput {
  /** empty if there are diagnostics */
  c: string;
  /** unit → C; units whose root the program does not import are missing */
  units: Record<string, string>;
  /** of the whole program: its units have none of their own */
  storage: Storage[];
  /**
   * every function, struct, enum, constant, table, variable and piece of assembly that the C of the
   * program and its units holds
   */
  reached: Declaration[];
  diagnostics: Diagnostic[];
}

/**
 * Compiles a program. Nothing but source files is read, nothing is written.
 *
 * @example
 * const { c, diagnostics } = compileToC({ entry: 'hello.ts', target: { arch: 'x86_64' } });
 */
export function compileToC(input: CompileInput): CompileOutput {
  const graph = loadModules(input.entry, input.modules ?? {}, input.read);
  const failed = (diagnostics: Diagnostic[]): CompileOutput => ({
    c: '',
    units: {},
    storage: [],
    reached: [],
    diagnostics: sorted(diagnostics),
  });
  if (graph.root === undefined || graph.diagnostics.some((d) => d.code === 'MU001')) {
    return failed(graph.diagnostics);
  }
  const { modules = {}, target, checked = false, units: inputs = [], read } = input;
  const wanted = unitsOf(graph, inputs);
  const { program, checker } = checkProgram(graph, target, { further: wanted });
  if (checker.diagnostics.length > 0) return failed(checker.diagnostics);
  const further = compileUnits(wanted, { modules, target, checked, read });
  const { units } = further;
  const emitted = emitProgram(program, checker, checked, sharedStorage(units));
  const diagnostics = [...emitted.diagnostics, ...further.diagnostics];
  if (diagnostics.length === 0) diagnostics.push(...checkLinks(program, emitted, units));
  if (diagnostics.length > 0) return failed(diagnostics);
  const texts = units.map(({ name, emitted: { c } }) => [name, c]);
  const storage = emitted.storage.map(({ place, name, type }) => ({
    ...{ file: place.file, name, bytes: layoutOf(type, pointerBytes(target)).size },
  }));
  const reached = [emitted, ...units.map(({ emitted }) => emitted)]
    .flatMap(({ reached }) => reached)
    .map(({ file, line }) => ({ file, line }));
  return { c: emitted.c, units: Object.fromEntries(texts), storage, reached, diagnostics };
}

/** Each once: an import is followed at every use, and every function is written twice. */
function sorted(diagnostics: Diagnostic[]): Diagnostic[] {
  const known = new Map(diagnostics.map((d) => [JSON.stringify(d), d]));
  return [...known.values()].sort(
    (a, b) =>
      (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column,
  );
}
