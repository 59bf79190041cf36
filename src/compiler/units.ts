/**
 * Further units of a program: modules of it compiled a second time, each to a C file of its own,
 * for another CPU. A unit has its own functions and tables; what its root exports has a symbol with
 * the unit's name, and storage is the main unit's.
 */

import { resolve } from 'node:path';
import { checkProgram } from './check/program.ts';
import { type Diagnostic, diagnostic } from './diagnostics.ts';
import { type Emitted, emitProgram, symbolOf } from './emit/program.ts';
import type { BareModules } from './parse/bare.ts';
import { loadModules, type ModuleGraph } from './parse/modules.ts';
import type { Target } from './target.ts';
import type { Program } from './tree.ts';

export interface UnitInput {
  /** ends the symbols of its roots: `evaluate_avx2` */
  name: string;
  /** path of its root module; if the program does not import it, the unit is left out */
  root: string;
  /** bare specifiers that mean something else here than in the main unit */
  modules: BareModules;
}

export interface Unit {
  name: string;
  program: Program;
  emitted: Emitted;
}

interface Common {
  modules: BareModules;
  target: Target;
  checked: boolean;
  read?: (path: string) => string;
}

/** The units whose roots the program has: the others are left out. */
export function unitsOf({ modules }: ModuleGraph, inputs: readonly UnitInput[]): UnitInput[] {
  return inputs.filter(({ root }) => modules.some(({ path }) => path === resolve(root)));
}

export function compileUnits(
  inputs: readonly UnitInput[],
  common: Common,
): { units: Unit[]; diagnostics: Diagnostic[] } {
  const units: Unit[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const { name, root, modules: own } of inputs) {
    const graph = loadModules(root, { ...common.modules, ...own }, common.read);
    if (graph.diagnostics.some((d) => d.code === 'MU001')) {
      diagnostics.push(...graph.diagnostics);
      continue;
    }
    const { program, checker } = checkProgram(graph, common.target, { unit: name });
    diagnostics.push(...checker.diagnostics);
    if (checker.diagnostics.length > 0) continue;
    const emitted = emitProgram(program, checker, common.checked);
    diagnostics.push(...emitted.diagnostics);
    units.push({ name, program, emitted });
  }
  return { units, diagnostics };
}

/** Symbols of all storage that the units use. */
export function sharedStorage(units: readonly Unit[]): Set<string> {
  return new Set(units.flatMap(({ emitted }) => emitted.storage.map(({ symbol }) => symbol)));
}

/** What the linker would complain about, in words and with a place. */
export function checkLinks(
  program: Program,
  emitted: Emitted,
  units: readonly Unit[],
): Diagnostic[] {
  const found: Diagnostic[] = [];
  const storage = new Set(program.globals.map(({ symbol }) => symbol));
  for (const { name: unit, emitted } of units) {
    for (const { symbol, name, place } of emitted.storage) {
      if (!storage.has(symbol)) found.push(diagnostic('MU507', place, { unit, name }));
    }
  }
  const roots = new Map(
    units.flatMap(({ program }) => program.roots.map((f) => [symbolOf(program, f), f.type.name])),
  );
  for (const external of emitted.externals) {
    const symbol = symbolOf(program, external);
    const actual = roots.get(symbol) as string;
    const declared = external.type.name;
    if (actual !== declared) {
      found.push(diagnostic('MU506', external.place, { symbol, actual, declared }));
    }
  }
  return found;
}
