import {
  rowBytes,
  type TensorType,
  tensorTypes,
  unsupportedTypes,
  weightTypes,
} from '../formats.ts';
import { quote } from '../modelError.ts';
import type { ModelFile } from '../modelFile.ts';
import { HeaderReader } from './headerReader.ts';
import { type Entry, Metadata, readEntry } from './metadata.ts';

/** A tensor as the file lists it; `offset` is from the start of the file. */
export interface TensorInfo {
  name: string;
  file: ModelFile;
  type: TensorType;
  /** Fastest first, as ggml counts: [columns, rows]. */
  shape: number[];
  offset: number;
  bytes: number;
}

export interface GgufHeader {
  version: number;
  metadata: Metadata;
  tensors: Map<string, TensorInfo>;
  /** Names of the types of tensors that are not supported, one for each such tensor. */
  refusedTypes: string[];
}

const MAX_ENTRIES = 65536;
export const MAX_TENSORS = 65536;
const MAX_KEY = 256;
const MAX_TENSOR_NAME = 63; // ggml's GGML_MAX_NAME is 64 with the final NUL
const MAX_DIMENSION = 2 ** 31 - 1;

/**
 * Reads and checks a GGUF header (versions 2 and 3, little endian):
 *   magic u32, version u32, tensor count u64, entry count u64, entries, tensor infos, padding,
 *   data.
 * Source: the GGUF specification in ggml's docs/gguf.md.
 */
export function readGgufHeader(file: ModelFile): GgufHeader {
  const reader = new HeaderReader(file);
  checkMagic(reader);
  const version = reader.u32('version');
  checkVersion(reader, version);
  const tensorCount = reader.count('tensor_count', MAX_TENSORS, 'number of tensors');
  const entryCount = reader.count('metadata_kv_count', MAX_ENTRIES, 'number of metadata entries');
  const metadata = readMetadata(reader, file, entryCount);
  const { tensors, refusedTypes } = readTensorInfos(reader, file, tensorCount);
  placeTensors(reader, file, metadata, tensors, refusedTypes.length === 0);
  return { version, metadata, tensors, refusedTypes };
}

function checkMagic(reader: HeaderReader): void {
  const magic = reader.bytes(4, 'magic').toString('latin1');
  if (magic !== 'GGUF') throw reader.error('magic', quote(magic), '"GGUF"');
}

function checkVersion(reader: HeaderReader, version: number): void {
  if (version === 2 || version === 3) return;
  const remedy =
    (version & 0xffff) === 0
      ? 'the file is big endian: convert it to little endian'
      : 'convert it with a current converter';
  throw reader.error('version', String(version), '2 or 3', remedy);
}

function readMetadata(reader: HeaderReader, file: ModelFile, count: number): Metadata {
  const entries = new Map<string, Entry>();
  for (let i = 0; i < count; i++) {
    const field = `metadata entry ${i} key`;
    const key = reader.string(field, MAX_KEY);
    if (!/^[\x21-\x7e]+$/.test(key)) throw reader.error(field, quote(key), 'printable ASCII');
    if (entries.has(key)) throw reader.error(key, 'the key a second time', 'each key once');
    entries.set(key, readEntry(reader, key));
  }
  return new Metadata(file, entries);
}

function readTensorInfos(
  reader: HeaderReader,
  file: ModelFile,
  count: number,
): Pick<GgufHeader, 'tensors' | 'refusedTypes'> {
  const tensors = new Map<string, TensorInfo>();
  const refusedTypes: string[] = [];
  for (let i = 0; i < count; i++) {
    const name = reader.string(`tensor ${i} name`, MAX_TENSOR_NAME);
    const field = `tensor ${quote(name)}`;
    if (!/^[\x21-\x7e]+$/.test(name)) throw reader.error(field, 'this name', 'printable ASCII');
    if (tensors.has(name)) throw reader.error(field, 'the name a second time', 'each tensor once');
    const info = readTensorInfo(reader, name, field);
    if (typeof info === 'string') refusedTypes.push(info);
    else tensors.set(name, { file, ...info });
  }
  return { tensors, refusedTypes };
}

/** The tensor, or the name of its type where that is not supported. */
function readTensorInfo(
  reader: HeaderReader,
  name: string,
  field: string,
): Omit<TensorInfo, 'file'> | string {
  const dimensions = reader.u32(`${field} dimensions`);
  if (dimensions < 1 || dimensions > 4) {
    throw reader.error(`${field} dimensions`, String(dimensions), '1 to 4');
  }
  const shape: number[] = [];
  let values = 1;
  for (let d = 0; d < dimensions; d++) {
    const size = reader.count(`${field} dimension ${d}`, MAX_DIMENSION, 'size');
    if (size === 0) throw reader.error(`${field} dimension ${d}`, '0', 'at least 1');
    shape.push(size);
    values *= size;
  }
  if (values > 2 ** 48) throw reader.error(`${field} size`, `${values} values`, 'at most 2^48');
  const typeNumber = reader.u32(`${field} type`);
  const type = tensorTypes.find((name) => weightTypes[name].number === typeNumber);
  const offset = reader.count(`${field} offset`, Number.MAX_SAFE_INTEGER, 'offset');
  if (type === undefined) return unsupportedTypes[typeNumber] ?? `unknown type ${typeNumber}`;
  const { block } = weightTypes[type];
  if (shape[0] % block !== 0) {
    throw reader.error(
      `${field} dimension 0`,
      String(shape[0]),
      `a multiple of ${block} for type ${type}`,
    );
  }
  const bytes = rowBytes(type, shape[0]) * (values / shape[0]);
  return { name, type, shape, offset, bytes };
}

/**
 * Turns offsets in the data section into offsets in the file, and checks that all lie inside and
 * apart, and if they are all that the file has, that nothing follows.
 */
function placeTensors(
  reader: HeaderReader,
  file: ModelFile,
  metadata: Metadata,
  tensors: Map<string, TensorInfo>,
  areAll: boolean,
): void {
  const alignment = metadata.integer('general.alignment', { min: 8, max: 65536, fallback: 32 });
  if ((alignment & (alignment - 1)) !== 0) {
    throw reader.error('general.alignment', String(alignment), 'a power of two');
  }
  const align = (at: number) => Math.ceil(at / alignment) * alignment;
  const dataStart = align(reader.position);
  let end = reader.position;
  for (const tensor of [...tensors.values()].sort((a, b) => a.offset - b.offset)) {
    const field = `tensor ${quote(tensor.name)} offset`;
    if (tensor.offset % alignment !== 0) {
      throw reader.error(field, String(tensor.offset), `a multiple of ${alignment}`);
    }
    tensor.offset += dataStart;
    if (tensor.offset < end) {
      throw reader.error(field, `${tensor.offset} in the file`, `at least ${end}: tensors overlap`);
    }
    end = tensor.offset + tensor.bytes;
    if (end > file.bytes) {
      throw reader.error(
        `tensor ${quote(tensor.name)} end`,
        `byte ${end}`,
        `at most ${file.bytes}, the size of the file`,
        'the file is truncated: fetch it again',
      );
    }
  }
  if (areAll && tensors.size > 0 && file.bytes > align(end)) {
    throw reader.error(
      'file size',
      `${file.bytes} bytes`,
      `at most ${align(end)}, the end of the last tensor`,
      'the file has bytes that nothing accounts for: fetch it again',
    );
  }
}
