/** What a file of the guest says, read through the compiler: values, layouts, tables. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { layoutOf } from '../../src/compiler/check/layout.ts';
import { checkProgram } from '../../src/compiler/check/program.ts';
import { type Constants, formatDiagnostics } from '../../src/compiler/index.ts';
import { loadModules } from '../../src/compiler/parse/modules.ts';
import type { ConstantValue, GlobalDeclaration, TableElement } from '../../src/compiler/tree.ts';
import { PROJECT_ROOT } from '../../src/toolchain/cache.ts';
import { guestModules } from '../../src/toolchain/guest.ts';
import { BASE_VARIANT, variantConstants } from '../../src/toolchain/variants.ts';

/** A change to a file's text. */
export interface Mutation {
  what: string;
  change(text: string): string;
}

export interface GuestField {
  name: string;
  type: string;
  offset: number;
}

export interface GuestModule {
  constant(name: string): ConstantValue;
  table(name: string): readonly ConstantValue[];
  members(enumName: string): Record<string, number>;
  fields(structName: string): GuestField[];
  bytes(structName: string): number;
  /** Zeroed storage of this very file: its type and its size. */
  storage(): { name: string; type: string; bytes: number }[];
  /** Constants that a function's statements `structure.field = constant` assign, by field. */
  assigned(functionName: string): Record<string, ConstantValue>;
}

const ARCH = BASE_VARIANT.arch;

/** path: from the project's root. Throws if the compiler refuses it, with what it says. */
export function readGuest(path: string, constants: Constants, mutation?: Mutation): GuestModule {
  const file = join(PROJECT_ROOT, path);
  const modules = {
    ...guestModules('process', 'chat').modules,
    model: constants,
    variants: variantConstants([BASE_VARIANT]),
  };
  const read = (source: string) => {
    const text = readFileSync(source, 'utf8');
    return source === file && mutation ? mutation.change(text) : text;
  };
  const graph = loadModules(file, modules, read);
  const { program, checker } = checkProgram(graph, { arch: ARCH });
  if (checker.diagnostics.length > 0) throw new Error(formatDiagnostics(checker.diagnostics));

  const own = <T extends { name: string; module: string }>(all: readonly T[], name: string): T => {
    const [module] = (path.split('/').pop() ?? '').split('.');
    const found = all.find((one) => one.name === name && one.module === module);
    if (!found) throw new Error(`${path} has no ${name}`);
    return found;
  };
  return {
    constant: (name) => own(program.constants, name).value,
    table: (name) => flat(own(program.globals, name)),
    members: (name) => Object.fromEntries(own(program.enums, name).members),
    fields: (name) =>
      own(program.structs, name).fields.map(({ name, type, offset }) => ({
        ...{ name, type: type.name, offset },
      })),
    bytes: (name) => own(program.structs, name).size,
    storage: () =>
      program.globals
        .filter(({ place, table, initial }) => isFile(place.file, file) && !table && !initial)
        .map(({ name, type }) => ({ name, type: type.name, bytes: layoutOf(type, 8).size })),
    assigned: (name) => {
      const { body = [] } = own(program.functions, name);
      const values = body.flatMap((statement) => {
        if (statement.kind !== 'assign' || statement.target.kind !== 'field') return [];
        const { value } = statement.value;
        return value === undefined ? [] : [[statement.target.field, value] as const];
      });
      return Object.fromEntries(values);
    },
  };
}

function isFile(found: string, file: string): boolean {
  return join(process.cwd(), found) === file || found === file;
}

function flat({ table = [] }: GlobalDeclaration): ConstantValue[] {
  return table.flatMap((element: TableElement): ConstantValue[] => {
    if (Array.isArray(element)) throw new Error('a table of tables');
    return element.value === undefined ? [] : [element.value];
  });
}
