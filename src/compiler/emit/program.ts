/**
 * Phase 3: the typed tree as one C file. Only what the entry and the exports reach is written, in
 * the order of the TypeScript.
 */

import type { Checker } from '../check/context.ts';
import type { Diagnostic, Place } from '../diagnostics.ts';
import type {
  ConstantDeclaration,
  FunctionDeclaration,
  GlobalDeclaration,
  Program,
  TableElement,
} from '../tree.ts';
import type { EnumType, Type } from '../types.ts';
import { moduleAssembly } from './assembly.ts';
import { Effects } from './effects.ts';
import {
  declare,
  type Emitter,
  orderedStructs,
  parameterList,
  structDefinition,
  useFunction,
} from './emitter.ts';
import { converted, literal } from './expressions.ts';
import { cString } from './literals.ts';
import { LocalNames, Names } from './names.ts';
import { HEADER, MEMORY_PROTOTYPES, macros, memoryFunctions } from './prelude.ts';
import { checkRegisters, generalFunctions } from './registers.ts';
import { Lines, statements } from './statements.ts';

/** A program or a unit as C, and what of it other units must know. */
export interface Emitted {
  c: string;
  diagnostics: Diagnostic[];
  /** storage that the C uses */
  storage: GlobalDeclaration[];
  /** functions of further units that the C uses */
  externals: FunctionDeclaration[];
  /** where each declaration that the C holds stands */
  reached: Place[];
}

/** shared: symbols of the storage that the main unit defines for further ones. */
export function emitProgram(
  program: Program,
  checker: Checker,
  checked: boolean,
  shared: ReadonlySet<string> = new Set(),
): Emitted {
  const all = [
    ...program.structs,
    ...program.enums,
    ...program.constants,
    ...program.globals,
    ...program.functions,
  ];
  const names = new Names(all, program.roots);
  const x86 = checker.target.arch === 'x86_64';
  const e: Emitter = {
    target: checker.target,
    checked,
    program,
    shared,
    types: checker.types,
    names,
    effects: new Effects(program.functions, checked),
    helpers: new Map(),
    vectors: new Set(),
    structs: new Set(),
    enums: new Set(),
    constants: new Set(),
    globals: new Set(program.globals.filter((global) => shared.has(global.symbol))),
    functions: new Set(),
    pending: [],
    named: new Set(),
    files: new Map(),
    general: x86 ? generalFunctions(program.functions) : new Set(),
    current: undefined,
    locals: new LocalNames(names),
    temporaries: 0,
  };
  for (const root of program.roots) useFunction(e, root);
  if (checked && program.panic !== undefined) useFunction(e, program.panic);
  const assembly = program.assembly.map((text) => moduleAssembly(e, text));

  const bodies = new Map<FunctionDeclaration, (out: Lines) => void>();
  const globals = new Set<GlobalDeclaration>();
  // Writing a function finds further functions, globals and types; so all of them are written
  // before the file is put together.
  for (let busy = true; busy; ) {
    busy = false;
    for (let next = e.pending.pop(); next !== undefined; next = e.pending.pop()) {
      const declaration = next;
      definition(e, new Lines(), declaration);
      bodies.set(declaration, (out) => definition(e, out, declaration));
      busy = true;
    }
    for (const global of e.globals) {
      if (globals.has(global)) continue;
      globals.add(global);
      globalDefinition(e, global);
      busy = true;
    }
  }
  const functions = program.functions.filter((declaration) => bodies.has(declaration));
  functions.sort((a, b) => order(checker, a) - order(checker, b) || a.place.line - b.place.line);
  e.general = new Set(functions.filter((declaration) => e.general.has(declaration)));

  const out = new Lines();
  for (const declaration of functions) {
    out.gap();
    bodies.get(declaration)?.(out);
  }
  const general = e.general.size > 0;
  const externals = program.functions.filter((f) => f.external && e.functions.has(f));
  const prototypes = [...externals, ...functions].map(
    (declaration) => `${head(e, declaration, true)};`,
  );
  const constants = program.constants.filter((constant) => e.constants.has(constant));
  const tables = program.globals.filter((global) => globals.has(global));
  const enums = program.enums.filter((type) => e.enums.has(type));

  const sections = [
    HEADER,
    macros(general),
    program.unit === undefined ? memoryFunctions(e.target.arch, general) : MEMORY_PROTOTYPES,
    ...[...e.vectors].map(vectorType),
    '',
    ...enums.map((type) => enumDefinition(e, type)),
    ...orderedStructs(e).map((s) => `typedef struct ${names.of(s)} ${names.of(s)};`),
    ...orderedStructs(e).map((s) => structDefinition(e, s)),
    '',
    ...[...e.files].map(fileName),
    ...(e.helpers.has('panic_at') && program.panic !== undefined
      ? [`${head(e, program.panic, true)};`]
      : []),
    ...[...e.helpers.values()].map((text) => helper(text, general)),
    '',
    ...constants.map((constant) => constantDefinition(e, constant)),
    ...prototypes,
    ...tables.map((global) => globalDefinition(e, global)),
    ...out.lines,
    '',
    ...assembly,
  ];
  const c = `${sections
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`;
  const storage = tables.filter((global) => global.table === undefined);
  const written = [...functions, ...constants, ...tables, ...enums, ...e.structs];
  const reached = [...written, ...program.assembly].map(({ place }) => place);
  return { c, diagnostics: checkRegisters(e.general), storage, externals, reached };
}

function order(checker: Checker, declaration: FunctionDeclaration): number {
  let i = 0;
  for (const module of checker.symbols.keys()) {
    if (module.file === declaration.place.file) return i;
    i += 1;
  }
  return i;
}

function vectorType({
  name,
  element,
  lanes,
}: {
  name: string;
  element: Type;
  lanes: number;
}): string {
  return `typedef ${element.name} ${name} __attribute__((ext_vector_type(${lanes})));`;
}

function enumDefinition(e: Emitter, type: EnumType): string {
  const members = [...type.members].map(
    ([name, value]) => `${e.names.member(type, name)} = ${value}`,
  );
  return `typedef i32 ${e.names.of(type)};\nenum { ${members.join(', ')} };`;
}

function fileName([file, number]: [string, number]): string {
  const bytes = new TextEncoder().encode(file);
  return `static const string file_${number} = {(u8 *)${cString(bytes)}, ${bytes.length}};`;
}

/** Helpers of floats cannot be compiled for general registers. */
function helper(text: string, general: boolean): string {
  return general && /\bf(32|64)\b/.test(text)
    ? text.replaceAll(/^HELPER/gm, 'static inline')
    : text;
}

function constantDefinition(e: Emitter, constant: ConstantDeclaration): string {
  const { type, value } = constant;
  const name = declare(e, type, e.names.of(constant));
  return `static const ${name} = ${literal(e, type, value, true)};`;
}

function globalDefinition(e: Emitter, global: GlobalDeclaration): string {
  const attributes = e.named.has(global) ? ['used'] : [];
  const align = global.tags.get('align');
  if (align !== undefined) attributes.push(`aligned(${align})`);
  const section = global.tags.get('section');
  if (section !== undefined) attributes.push(`section(${JSON.stringify(section)})`);
  const attribute = attributes.length === 0 ? '' : ` __attribute__((${attributes.join(', ')}))`;
  const isTable = global.table !== undefined;
  const name = `${isTable ? 'const ' : ''}${e.names.of(global)}`;
  const linkage = linkageOf(e, global);
  const label = linkage === 'static ' ? '' : ` __asm__(${JSON.stringify(global.symbol)})`;
  const declaration = `${linkage}${declare(e, global.type, name)}${label}${attribute}`;
  if (linkage === 'extern ') return `${declaration};`;
  if (global.table !== undefined) return `${declaration} = ${table(e, global.table)};`;
  return global.initial === undefined
    ? `${declaration};`
    : `${declaration} = ${element(e, global.initial)};`;
}

/** Tables are every unit's own; storage is the main unit's, by a symbol if others use it too. */
function linkageOf(e: Emitter, global: GlobalDeclaration): 'static ' | 'extern ' | '' {
  if (global.table !== undefined) return 'static ';
  if (e.program.unit !== undefined) return 'extern ';
  return e.shared.has(global.symbol) ? '' : 'static ';
}

function table(e: Emitter, elements: TableElement[]): string {
  const items = elements.map((x) => (Array.isArray(x) ? table(e, x) : element(e, x)));
  const lines: string[] = [];
  let line = '';
  for (const item of items) {
    if (line !== '' && line.length + item.length > 110) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? item : `, ${item}`;
  }
  lines.push(line);
  return lines.length === 1 ? `{${line}}` : `{\n  ${lines.join(',\n  ')},\n}`;
}

/** A static initial value must be a constant expression in C: numbers are written out. */
function element(e: Emitter, x: Exclude<TableElement, unknown[]>): string {
  if (x.kind === 'string') return `{(u8 *)${cString(x.bytes)}, ${x.bytes.length}}`;
  return x.value === undefined ? converted(e, x) : literal(e, x.type, x.value, true);
}

function definition(e: Emitter, out: Lines, declaration: FunctionDeclaration): void {
  e.current = declaration;
  e.locals = new LocalNames(e.names);
  e.temporaries = 0;
  out.at(declaration.place, `${head(e, declaration, false)} {`);
  statements(e, out, declaration.body ?? [], '  ');
  out.at(declaration.end, '}');
  e.current = undefined;
}

/** What the linker knows a root, or a further unit's function, by. */
export function symbolOf({ unit }: Program, { name, tags, external }: FunctionDeclaration): string {
  const symbol = tags.get('symbol') ?? name;
  return unit === undefined || external ? symbol : `${symbol}_${unit}`;
}

/** `static i32 f(i32 a)` with its attributes. */
function head(e: Emitter, declaration: FunctionDeclaration, prototype: boolean): string {
  const { tags, type } = declaration;
  const attributes: string[] = [];
  const x86 = e.target.arch === 'x86_64';
  const isRoot = e.program.roots.includes(declaration);
  if (tags.has('inline')) attributes.push('always_inline');
  if (tags.has('noinline')) attributes.push('noinline');
  if (tags.has('interrupt') && x86) attributes.push('interrupt');
  if (e.general.has(declaration)) attributes.push('target("general-regs-only")');
  if (tags.has('efi') && x86) attributes.push('ms_abi');
  if (type.result.kind === 'never') attributes.push('noreturn');
  if (e.named.has(declaration) && !declaration.external) attributes.push('used');
  // The outside sees the name of the TypeScript, also where C needs another.
  const symbol = symbolOf(e.program, declaration);
  if (isRoot && e.target.arch === 'wasm32') attributes.push(`export_name("${symbol}")`);
  const isNamed = tags.has('symbol') || e.program.unit !== undefined;
  const isOutside = isRoot || declaration.external;
  const hasLabel = isOutside && isNamed && e.names.of(declaration) !== symbol;
  const label = hasLabel && prototype ? ` __asm__("${symbol}")` : '';
  const names = declaration.parameters.map((parameter) => e.locals.of(parameter));
  const list = parameterList(e, type.parameters, prototype ? undefined : names);
  const linkage = isOutside ? '' : tags.has('inline') ? 'static inline ' : 'static ';
  const attribute =
    attributes.length > 0 && prototype ? `__attribute__((${attributes.join(', ')})) ` : '';
  return `${attribute}${linkage}${declare(e, type.result, `${e.names.of(declaration)}(${list})`)}${label}`;
}
