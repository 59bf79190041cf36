/**
 * C names: the program's own wherever they are free; modules' names in front where two collide; `_`
 * after reserved ones.
 */

import type {
  ConstantDeclaration,
  FunctionDeclaration,
  GlobalDeclaration,
  Local,
} from '../tree.ts';
import type { EnumType, StructType, Type } from '../types.ts';

/** Whatever has a name at C's file level. */
export type Named =
  | FunctionDeclaration
  | ConstantDeclaration
  | GlobalDeclaration
  | StructType
  | EnumType;

const RESERVED = new Set(
  (
    'auto break case char const continue default do double else enum extern float for goto if inline int long register ' +
    'restrict return short signed sizeof static struct switch typedef union unsigned void volatile while asm typeof ' +
    'bool true false null string i8 i16 i32 i64 isize u8 u16 u32 u64 usize f32 f64 TEXT HELPER VECTOR_HELPER ' +
    'unaligned_u64 memcpy memmove memset memcmp linux unix i386 nonnull index_at panic_at _start'
  ).split(' '),
);

/** Names of helpers and temporaries: f32x16_load, load_u32, _t1, file_1. None ends with `_`. */
const HELPER_NAME =
  /^([iuf](8|16|32|64)(x\d+)?|isize|usize|bool)$|^([iuf](8|16|32|64)(x\d+)?|isize|usize|load|store|select|file)_|^_t\d+$|^__|^_[A-Z]/;

/** Never true of a name that ends with `_`, so that appending it always helps. */
export function isReserved(name: string): boolean {
  return RESERVED.has(name) || (HELPER_NAME.test(name) && !name.endsWith('_'));
}

export class Names {
  readonly #names = new Map<Named, string>();
  readonly #taken = new Set<string>();
  /** `E.A` by enum and member */
  readonly #members = new Map<EnumType, Map<string, string>>();

  /** Names for all of the program, those that the outside sees first. */
  constructor(all: Named[], roots: FunctionDeclaration[]) {
    const wanted = new Map<string, number>();
    for (const named of all) {
      wanted.set(named.name, (wanted.get(named.name) ?? 0) + 1);
    }
    for (const root of roots) {
      this.#give(root, this.#free(root.tags.get('symbol') ?? root.name));
    }
    for (const named of all) {
      if (this.#names.has(named)) continue;
      const { name, module } = named;
      const collides = (wanted.get(name) ?? 0) > 1;
      this.#give(named, this.#free(collides ? `${module}_${name}` : name));
    }
  }

  #give(named: Named, name: string): void {
    this.#names.set(named, name);
    this.#taken.add(name);
    if (named.kind !== 'enum') return;
    const members = new Map<string, string>();
    this.#members.set(named, members);
    for (const member of named.members.keys()) {
      const free = this.#free(`${name}_${member}`);
      members.set(member, free);
      this.#taken.add(free);
    }
  }

  #free(name: string): string {
    let free = name;
    while (isReserved(free) || this.#taken.has(free)) free += '_';
    return free;
  }

  of(named: Named): string {
    return this.#names.get(named) as string;
  }

  isTaken(name: string): boolean {
    return this.#taken.has(name);
  }

  /** enum E { A } → E_A */
  member(type: EnumType, name: string): string {
    return this.#members.get(type)?.get(name) as string;
  }
}

/** A type as part of an identifier. */
export function mangle(type: Type): string {
  switch (type.kind) {
    case 'pointer':
      return `Ptr_${mangle(type.to)}`;
    case 'array':
      return `${mangle(type.of)}_array${type.count}`;
    case 'function':
      return ['function', ...type.parameters.map(mangle), mangle(type.result)].join('_');
    case 'struct':
    case 'enum':
      return `${type.name}${type.id}`;
    default:
      return type.name;
  }
}

/** Fields live in a name space of their own: only keywords and macros are in the way. */
export function fieldName(name: string): string {
  return RESERVED.has(name) || name.startsWith('__') ? `${name}_` : name;
}

/**
 * C names of a function's locals. A local may hide a local of an outer block, as in TypeScript; it
 * must not hide anything at file level, since that may have another name here than there.
 */
export class LocalNames {
  readonly #globals: Names;
  readonly #names = new Map<Local, string>();
  readonly #used = new Map<string, string>();

  constructor(globals: Names) {
    this.#globals = globals;
  }

  /** Gives a temporary its name. */
  fix(local: Local, name: string): void {
    this.#names.set(local, name);
  }

  of(local: Local): string {
    let name = this.#names.get(local);
    if (name === undefined) {
      name = local.name;
      const isFree = (free: string) =>
        !isReserved(free) &&
        !this.#globals.isTaken(free) &&
        (this.#used.get(free) ?? local.name) === local.name;
      while (!isFree(name)) name += '_';
      this.#used.set(name, local.name);
      this.#names.set(local, name);
    }
    return name;
  }
}
