import type { ByteString } from '../model.ts';
import { ModelError, quote } from '../modelError.ts';
import type { ModelFile } from '../modelFile.ts';
import { HeaderReader } from './headerReader.ts';
import { type ValueType, valueTypes } from './types.ts';

/** A metadata value. Arrays stay in the file, checked, and are decoded when they are asked for. */
export type Entry =
  | { type: Exclude<ValueType, 'array'>; value: number | bigint | boolean | ByteString }
  | { type: 'array'; element: Exclude<ValueType, 'array'>; count: number; position: number };

const MAX_STRING = 1 << 20; // the longest that models have are chat templates, some 10 kB
const MAX_ARRAY = 1 << 22; // vocabularies have some 10^5 pieces and merges

/**
 * Reads the value after a key: type u32, then the value; arrays: element type u32, count u64,
 * elements.
 */
export function readEntry(reader: HeaderReader, key: string): Entry {
  const type = readType(reader, key, 'type');
  if (type.name !== 'array') return { type: type.name, value: readScalar(reader, key, type.name) };
  const element = readType(reader, key, 'element type');
  if (element.name === 'array') {
    throw reader.error(key, 'an array of arrays', 'an array of numbers or strings');
  }
  const count = reader.count(key, MAX_ARRAY, 'elements of an array');
  const position = reader.position;
  if (element.name === 'string') {
    reader.skipStrings(count, key, MAX_STRING);
  } else {
    reader.skip(count * element.bytes, key);
  }
  return { type: 'array', element: element.name, count, position };
}

function readType(reader: HeaderReader, key: string, what: string) {
  const number = reader.u32(`${key} ${what}`);
  const type = valueTypes[number];
  if (type === undefined) {
    throw reader.error(`${key} ${what}`, `unknown type ${number}`, 'a GGUF value type, 0 to 12');
  }
  return type;
}

function readScalar(reader: HeaderReader, key: string, type: Exclude<ValueType, 'array'>) {
  switch (type) {
    case 'string':
      return reader.string(key, MAX_STRING);
    case 'u8':
      return reader.bytes(1, key).readUInt8();
    case 'i8':
      return reader.bytes(1, key).readInt8();
    case 'u16':
      return reader.bytes(2, key).readUInt16LE();
    case 'i16':
      return reader.bytes(2, key).readInt16LE();
    case 'u32':
      return reader.bytes(4, key).readUInt32LE();
    case 'i32':
      return reader.bytes(4, key).readInt32LE();
    case 'u64':
      return reader.bytes(8, key).readBigUInt64LE();
    case 'i64':
      return reader.bytes(8, key).readBigInt64LE();
    case 'f32':
      return reader.bytes(4, key).readFloatLE();
    case 'f64':
      return reader.bytes(8, key).readDoubleLE();
    case 'bool': {
      const found = reader.u8(key);
      if (found > 1) throw reader.error(key, `byte ${found}`, '0 (false) or 1 (true)');
      return found === 1;
    }
  }
}

/** What a number must satisfy, and what stands for it when the key is missing. */
interface NumberRule {
  min: number;
  max: number;
  fallback?: number;
}

/** A file's metadata with typed, checked access: every getter names its key when it refuses. */
export class Metadata {
  readonly #file: ModelFile;
  readonly #entries: Map<string, Entry>;

  constructor(file: ModelFile, entries: Map<string, Entry>) {
    this.#file = file;
    this.#entries = entries;
  }

  keys(): string[] {
    return [...this.#entries.keys()];
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** Any integer type; without a fallback the key must be there. */
  integer(key: string, rule: NumberRule): number {
    const found = this.#number(key, rule, 'an integer');
    if (!Number.isInteger(found)) throw this.error(key, String(found), 'an integer');
    return found;
  }

  float(key: string, rule: NumberRule): number {
    return this.#number(key, rule, 'a number');
  }

  boolean(key: string, fallback: boolean): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return fallback;
    if (entry.type !== 'bool') throw this.error(key, describe(entry), 'a bool');
    return entry.value as boolean;
  }

  /** A string decoded as UTF-8. */
  text(key: string): string | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.type !== 'string') throw this.error(key, describe(entry), 'a string');
    return Buffer.from(entry.value as string, 'latin1').toString('utf8');
  }

  /** An array of strings, undefined where the key is missing. */
  strings(key: string): ByteString[] | undefined {
    const entry = this.#array(key, (type) => type === 'string', 'strings');
    if (entry === undefined) return undefined;
    const reader = this.#readerAt(entry.position);
    return Array.from({ length: entry.count }, () => reader.string(key, MAX_STRING));
  }

  floats(key: string): Float32Array | undefined {
    const entry = this.#array(key, (type) => type === 'f32', 'f32');
    if (entry === undefined) return undefined;
    const reader = this.#readerAt(entry.position);
    return Float32Array.from({ length: entry.count }, () => reader.bytes(4, key).readFloatLE());
  }

  /** An array of bool, u32 or i32, of which 0 is false; undefined where it is no array. */
  flags(key: string): boolean[] | undefined {
    const entry = this.#entries.get(key);
    if (entry?.type !== 'array') return undefined;
    if (entry.element !== 'bool') return this.integers(key)?.map((value) => value !== 0);
    const reader = this.#readerAt(entry.position);
    return Array.from({ length: entry.count }, () => reader.bytes(1, key).readUInt8() !== 0);
  }

  /** An array of u32 or i32. */
  integers(key: string): number[] | undefined {
    const entry = this.#array(key, (type) => type === 'i32' || type === 'u32', 'i32 or u32');
    if (entry === undefined) return undefined;
    const reader = this.#readerAt(entry.position);
    const signed = entry.element === 'i32';
    return Array.from({ length: entry.count }, () => {
      const bytes = reader.bytes(4, key);
      return signed ? bytes.readInt32LE() : bytes.readUInt32LE();
    });
  }

  /** A value for people, such as `u32 9` or `an array of 49152 strings`. */
  describe(key: string): string {
    const entry = this.#entries.get(key);
    return entry ? describe(entry) : 'nothing';
  }

  error(key: string, found: string, expected: string, remedy?: string): ModelError {
    return new ModelError({ file: this.#file.name, field: key, found, expected, remedy });
  }

  #number(key: string, rule: NumberRule, what: string): number {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      if (rule.fallback !== undefined) return rule.fallback;
      throw this.error(key, 'nothing', what, 'the file lacks this key: take another conversion');
    }
    const value = entry.type === 'array' ? undefined : entry.value;
    if (typeof value !== 'number' && typeof value !== 'bigint') {
      throw this.error(key, describe(entry), what);
    }
    const found = Number(value);
    if (!(found >= rule.min && found <= rule.max)) {
      throw this.error(key, String(value), `${what} from ${rule.min} to ${rule.max}`);
    }
    return found;
  }

  #array(key: string, fits: (element: ValueType) => boolean, what: string) {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.type !== 'array' || !fits(entry.element)) {
      throw this.error(key, describe(entry), `an array of ${what}`);
    }
    return entry;
  }

  #readerAt(position: number): HeaderReader {
    const reader = new HeaderReader(this.#file);
    reader.seek(position);
    return reader;
  }
}

function describe(entry: Entry): string {
  if (entry.type === 'array') return `an array of ${entry.count} ${entry.element}`;
  if (entry.type === 'string') return `the string ${quote(entry.value as string)}`;
  return `${entry.type} ${entry.value}`;
}
