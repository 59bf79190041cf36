/**
 * State of writing one program's C: its names, what it has turned out to need, and the function
 * being written.
 */

import type { Place } from '../diagnostics.ts';
import { pointerBytes, type Target } from '../target.ts';
import type {
  ConstantDeclaration,
  FunctionDeclaration,
  GlobalDeclaration,
  Program,
} from '../tree.ts';
import type {
  EnumType,
  FloatType,
  IntegerType,
  StructType,
  Type,
  TypeTable,
  VectorType,
} from '../types.ts';
import type { Effects } from './effects.ts';
import { cString } from './literals.ts';
import { fieldName, type LocalNames, type Names } from './names.ts';

export interface Emitter {
  target: Target;
  checked: boolean;
  program: Program;
  /** symbols of the storage that further units use too */
  shared: ReadonlySet<string>;
  types: TypeTable;
  names: Names;
  effects: Effects;
  /** helper name → C text, in order of need */
  helpers: Map<string, string>;
  vectors: Set<VectorType>;
  structs: Set<StructType>;
  enums: Set<EnumType>;
  constants: Set<ConstantDeclaration>;
  globals: Set<GlobalDeclaration>;
  /** functions that are called or pointed to; those not yet written stand in `pending` */
  functions: Set<FunctionDeclaration>;
  pending: FunctionDeclaration[];
  /** what assembly names: kept, though no C may */
  named: Set<FunctionDeclaration | GlobalDeclaration>;
  /** files that checks name → number of their `file_N` */
  files: Map<string, number>;
  /** functions compiled for general registers only: emit/registers.ts */
  general: Set<FunctionDeclaration>;
  /** the function being written */
  current: FunctionDeclaration | undefined;
  locals: LocalNames;
  temporaries: number;
}

export function bitsOfType(e: Emitter, type: IntegerType | FloatType): number {
  return type.kind === 'integer' && type.pointerSized ? pointerBytes(e.target) * 8 : type.bits;
}

/** Notes that the program uses a function. */
export function useFunction(e: Emitter, declaration: FunctionDeclaration): string {
  if (!e.functions.has(declaration)) {
    e.functions.add(declaration);
    if (!declaration.external) e.pending.push(declaration);
  }
  return e.names.of(declaration);
}

export function temporary(e: Emitter): string {
  e.temporaries += 1;
  return `_t${e.temporaries}`;
}

/** Arguments that tell a check where it stands. */
export function site(e: Emitter, place: Place): string {
  let number = e.files.get(place.file);
  if (number === undefined) {
    number = e.files.size + 1;
    e.files.set(place.file, number);
  }
  return `&file_${number}, ${place.line}`;
}

export function text(message: string): string {
  return `TEXT(${cString(new TextEncoder().encode(message))})`;
}

/** C name of a type, as it stands before a declared name where it needs no declarator around it. */
export function cType(e: Emitter, type: Type): string {
  return declare(e, type, '');
}

/** C declaration of a name: `u8 *p`, `u16 a[4]`, `void (*f)(i32)`. */
export function declare(e: Emitter, type: Type, name: string): string {
  switch (type.kind) {
    case 'pointer': {
      const inner = type.to.kind === 'array' ? `(*${name})` : `*${name}`;
      return declare(e, type.to, inner);
    }
    case 'array':
      return declare(e, type.of, `${name}[${type.count}]`);
    case 'function': {
      const isMicrosoft = type.convention === 'efi' && e.target.arch === 'x86_64';
      const attribute = isMicrosoft ? '__attribute__((ms_abi)) ' : '';
      return declare(
        e,
        type.result,
        `(${attribute}*${name})(${parameterList(e, type.parameters)})`,
      );
    }
    default:
      return name === '' ? typeName(e, type) : `${typeName(e, type)} ${name}`;
  }
}

export function parameterList(e: Emitter, parameters: Type[], names?: string[]): string {
  if (parameters.length === 0) return 'void';
  return parameters.map((type, i) => declare(e, type, names?.[i] ?? '')).join(', ');
}

function typeName(e: Emitter, type: Type): string {
  switch (type.kind) {
    case 'struct':
      useStruct(e, type);
      return e.names.of(type);
    case 'enum':
      e.enums.add(type);
      return e.names.of(type);
    case 'vector':
      e.vectors.add(type);
      return type.name;
    case 'never':
      return 'void';
    default:
      return type.name;
  }
}

/** A struct needs those that it holds before it. */
function useStruct(e: Emitter, struct: StructType): void {
  if (e.structs.has(struct)) return;
  e.structs.add(struct);
  for (const field of struct.fields) declare(e, field.type, '');
}

/** Structs in an order in which each comes after those that it holds. */
export function orderedStructs(e: Emitter): StructType[] {
  const ordered: StructType[] = [];
  const done = new Set<StructType>();
  const visit = (type: Type): void => {
    if (type.kind === 'array') visit(type.of);
    if (type.kind !== 'struct' || done.has(type)) return;
    done.add(type);
    for (const field of type.fields) visit(field.type);
    ordered.push(type);
  };
  for (const struct of e.program.structs) if (e.structs.has(struct)) visit(struct);
  return ordered;
}

export function structDefinition(e: Emitter, struct: StructType): string {
  const name = e.names.of(struct);
  const fields = struct.fields.map(
    (field) => `  ${declare(e, field.type, fieldName(field.name))};`,
  );
  const attributes = struct.packed ? ' __attribute__((packed))' : '';
  const aligned = alignment(e, struct);
  return `struct${attributes}${aligned} ${name} {
${fields.join('\n')}
};
_Static_assert(sizeof(${name}) == ${struct.size}, "layout of ${name}");`;
}

function alignment(e: Emitter, struct: StructType): string {
  const natural = struct.packed ? 1 : undefined;
  const tagged = e.program.structAlignments.get(struct);
  if (tagged === undefined || natural === tagged) return '';
  return ` __attribute__((aligned(${tagged})))`;
}
