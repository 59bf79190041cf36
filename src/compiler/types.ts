/**
 * The types of the dialect. Every type exists once (they are interned by name), so two types are
 * equal if they are the same object. `name` is how a diagnostic writes it.
 */

import type { Place } from './diagnostics.ts';

export type Type =
  | IntegerType
  | FloatType
  | PointerType
  | ArrayType
  | StructType
  | FunctionType
  | VectorType
  | EnumType
  | SimpleType;

export interface IntegerType {
  kind: 'integer';
  name: string;
  /**
   * 64 for isize and usize, which have `pointerSized` set: only their use as 32 or 64 bits depends
   * on the target.
   */
  bits: number;
  signed: boolean;
  pointerSized: boolean;
}

export interface FloatType {
  kind: 'float';
  name: 'f32' | 'f64';
  bits: 32 | 64;
}

/** null: the type of `null`; never: of unreachable(); error: of what has been reported already. */
export interface SimpleType {
  kind: 'bool' | 'void' | 'string' | 'null' | 'never' | 'error';
  name: string;
}

export interface PointerType {
  kind: 'pointer';
  name: string;
  to: Type;
}

export interface ArrayType {
  kind: 'array';
  name: string;
  of: Type;
  count: number;
}

export interface StructField {
  name: string;
  type: Type;
  /** bytes from the start of the struct */
  offset: number;
}

/** A class of the program. Fields are filled in when its declaration is checked. */
export interface StructType {
  kind: 'struct';
  name: string;
  place: Place;
  /** unique over all modules, in C */
  id: number;
  module: string;
  fields: StructField[];
  size: number;
  align: number;
  packed: boolean;
}

export interface FunctionType {
  kind: 'function';
  name: string;
  parameters: Type[];
  result: Type;
  /** interrupt: of a handler's name as a value, which only changetype<usize> takes */
  convention: 'c' | 'efi' | 'interrupt';
}

export interface VectorType {
  kind: 'vector';
  name: string;
  element: IntegerType | FloatType;
  lanes: number;
}

export interface EnumType {
  kind: 'enum';
  name: string;
  place: Place;
  id: number;
  module: string;
  members: Map<string, number>;
}

function integer(name: string, bits: number, signed: boolean, pointerSized = false): IntegerType {
  return { kind: 'integer', name, bits, signed, pointerSized };
}

export const i8 = integer('i8', 8, true);
export const i16 = integer('i16', 16, true);
export const i32 = integer('i32', 32, true);
export const i64 = integer('i64', 64, true);
export const isize = integer('isize', 64, true, true);
export const u8 = integer('u8', 8, false);
export const u16 = integer('u16', 16, false);
export const u32 = integer('u32', 32, false);
export const u64 = integer('u64', 64, false);
export const usize = integer('usize', 64, false, true);
export const f32: FloatType = { kind: 'float', name: 'f32', bits: 32 };
export const f64: FloatType = { kind: 'float', name: 'f64', bits: 64 };
export const bool: SimpleType = { kind: 'bool', name: 'bool' };
export const voidType: SimpleType = { kind: 'void', name: 'void' };
export const stringType: SimpleType = { kind: 'string', name: 'string' };
export const nullType: SimpleType = { kind: 'null', name: 'null' };
export const neverType: SimpleType = { kind: 'never', name: 'never' };
export const errorType: SimpleType = { kind: 'error', name: '?' };

/** The scalar types by name, also the names of the casts. */
export const SCALARS: ReadonlyMap<string, IntegerType | FloatType | SimpleType> = new Map(
  [i8, i16, i32, i64, isize, u8, u16, u32, u64, usize, f32, f64, bool].map((type) => [
    type.name,
    type,
  ]),
);

const VECTOR_NAME = /^(i8|i16|i32|i64|u8|u16|u32|u64|f32|f64)x(2|4|8|16|32|64)$/;

/**
 * Interns the composed types. One per compilation, since structs and enums belong to one program.
 */
export class TypeTable {
  readonly #types = new Map<string, Type>();
  #ids = 0;

  #intern<T extends Type>(key: string, make: () => T): T {
    let type = this.#types.get(key);
    if (type === undefined) {
      type = make();
      this.#types.set(key, type);
    }
    return type as T;
  }

  pointer(to: Type): PointerType {
    return this.#intern(`*${identity(to)}`, () => ({
      kind: 'pointer',
      name: `Ptr<${to.name}>`,
      to,
    }));
  }

  array(of: Type, count: number): ArrayType {
    return this.#intern(`[${count}]${identity(of)}`, () => ({
      kind: 'array',
      name: `FixedArray<${of.name}, ${count}>`,
      of,
      count,
    }));
  }

  function(
    parameters: Type[],
    result: Type,
    convention: FunctionType['convention'] = 'c',
  ): FunctionType {
    const key = `${convention}(${parameters.map(identity).join()})${identity(result)}`;
    const text = `(${parameters.map((type) => type.name).join(', ')}) => ${result.name}`;
    const names = { c: text, efi: `Efi<${text}>`, interrupt: `@interrupt ${text}` };
    const name = names[convention];
    return this.#intern(key, () => ({ kind: 'function', name, parameters, result, convention }));
  }

  /** The vector type of that name, or undefined if it is not one. */
  vectorNamed(name: string): VectorType | undefined {
    const match = VECTOR_NAME.exec(name);
    if (match === null) return undefined;
    return this.vector(SCALARS.get(match[1]) as IntegerType | FloatType, Number(match[2]));
  }

  vector(element: IntegerType | FloatType, lanes: number): VectorType {
    const name = `${element.name}x${lanes}`;
    return this.#intern(name, () => ({ kind: 'vector', name, element, lanes }));
  }

  /** A new struct; its fields come later, so that structs may point to each other. */
  struct(name: string, module: string, place: Place): StructType {
    const id = ++this.#ids;
    return this.#intern(`#${id}`, () => ({
      kind: 'struct',
      name,
      place,
      id,
      module,
      fields: [],
      size: 0,
      align: 1,
      packed: false,
    }));
  }

  enum(name: string, module: string, place: Place): EnumType {
    const id = ++this.#ids;
    return this.#intern(`#${id}`, () => ({
      ...{ kind: 'enum', name, place, id, module },
      members: new Map(),
    }));
  }

  /** The integer vector of the same shape that comparisons give. */
  mask(vector: VectorType): VectorType {
    const element = SCALARS.get(`i${vector.element.bits}`) as IntegerType;
    return this.vector(element, vector.lanes);
  }
}

/**
 * A string that differs for types that differ; names alone do not (two modules may each have a
 * class of one name).
 */
export function identity(type: Type): string {
  if (type.kind === 'struct' || type.kind === 'enum') return `${type.name}#${type.id}`;
  if (type.kind === 'pointer') return `*${identity(type.to)}`;
  if (type.kind === 'array') return `[${type.count}]${identity(type.of)}`;
  if (type.kind === 'function') {
    return `${type.convention}(${type.parameters.map(identity).join()})${identity(type.result)}`;
  }
  return type.name;
}

export function isNumber(type: Type): type is IntegerType | FloatType {
  return type.kind === 'integer' || type.kind === 'float';
}

/** What a variable, parameter or result can hold: it fits a register, or is a string or vector. */
export function isValue(type: Type): boolean {
  return !['struct', 'array', 'void', 'null', 'never'].includes(type.kind);
}

/** Smallest and largest value. `bits`: 32 or 64 for isize and usize, as the target has it. */
export function range(type: IntegerType, bits = type.bits): { min: bigint; max: bigint } {
  if (type.signed) return { min: -(1n << BigInt(bits - 1)), max: (1n << BigInt(bits - 1)) - 1n };
  return { min: 0n, max: (1n << BigInt(bits)) - 1n };
}

/** Does every value of `from` exist in `to`, on 32-bit and 64-bit machines alike? */
export function widens(from: Type, to: Type): boolean {
  if (from === to) return true;
  if (from.kind === 'float' && to.kind === 'float') return from.bits <= to.bits;
  if (from.kind === 'enum') return widens(i32, to);
  if (from.kind !== 'integer' || to.kind !== 'integer') return false;
  const mostBits = from.bits;
  const leastBits = to.pointerSized ? 32 : to.bits;
  if (from.pointerSized && to.pointerSized) return false;
  if (from.signed === to.signed) return mostBits <= leastBits;
  return !from.signed && to.signed && mostBits < leastBits;
}
