/**
 * A second reader of GGUF files, from ggml's docs/gguf.md and nothing of src: what a file's bytes
 * say, and where each of its fields lies. It checks nothing but that everything is there, and each
 * name once.
 */

/** A place that says something. */
export interface Field {
  at: number;
  bytes: number;
  kind: 'number' | 'float' | 'text';
  /** One of many alike: of a list. */
  isElement?: boolean;
}

export type PlainValue = number | bigint | boolean | string | PlainValue[];

export interface PlainTensor {
  name: string;
  shape: number[];
  type: number;
  bytes: Buffer;
}

export interface PlainGguf {
  entries: Map<string, PlainValue>;
  tensors: Map<string, PlainTensor>;
  fields: Field[];
  /** Where the tensors' bytes begin. */
  data: number;
}

/** By ggml's number: values of a block, and its bytes. */
const BLOCKS: Record<number, [values: number, bytes: number]> = {
  ...{ 0: [1, 4], 1: [1, 2], 30: [1, 2], 8: [32, 34], 2: [32, 18], 3: [32, 20], 6: [32, 22] },
  ...{ 7: [32, 24], 12: [256, 144], 13: [256, 176], 14: [256, 210] },
};

/** Throws a RangeError where the file ends too early or says a thing twice. */
export function readPlainGguf(file: Buffer): PlainGguf {
  const fields: Field[] = [];
  let at = 0;
  let isElement = false;
  const take = (bytes: number, kind: Field['kind']): number => {
    if (bytes > file.length - at) throw new RangeError('the end of the file');
    fields.push({ at, bytes, kind, isElement });
    at += bytes;
    return at - bytes;
  };
  const u32 = () => file.readUInt32LE(take(4, 'number'));
  const u64 = () => Number(file.readBigUInt64LE(take(8, 'number')));
  const text = (): string => {
    const bytes = u64();
    const start = take(bytes, 'text');
    return file.toString('latin1', start, start + bytes);
  };
  const numbers: Record<number, () => PlainValue> = {
    0: () => file.readUInt8(take(1, 'number')),
    1: () => file.readInt8(take(1, 'number')),
    2: () => file.readUInt16LE(take(2, 'number')),
    3: () => file.readInt16LE(take(2, 'number')),
    4: u32,
    5: () => file.readInt32LE(take(4, 'number')),
    6: () => file.readFloatLE(take(4, 'float')),
    7: () => file.readUInt8(take(1, 'number')) !== 0,
    8: text,
    10: () => file.readBigUInt64LE(take(8, 'number')),
    11: () => file.readBigInt64LE(take(8, 'number')),
    12: () => file.readDoubleLE(take(8, 'float')),
  };
  const value = (type: number, depth: number): PlainValue => {
    if (type !== 9) return (numbers[type] ?? fail('a type'))();
    const element = u32();
    const count = u64();
    if (depth > 3 || count > file.length) fail('an array');
    const outer = isElement;
    isElement = true;
    const list = Array.from({ length: count }, () => value(element, depth + 1));
    isElement = outer;
    return list;
  };
  take(8, 'number'); // magic, version
  const [tensorCount, entryCount] = [u64(), u64()];
  const entries = new Map<string, PlainValue>();
  for (let i = 0; i < entryCount; i++) {
    const key = text();
    if (entries.has(key)) fail('a key twice');
    entries.set(key, value(u32(), 0));
  }
  const infos: { name: string; shape: number[]; type: number; offset: number }[] = [];
  for (let i = 0; i < tensorCount; i++) {
    const name = text();
    const dimensions = u32();
    if (dimensions > 4) fail('dimensions');
    const shape = Array.from({ length: dimensions }, u64);
    infos.push({ name, shape, type: u32(), offset: u64() });
  }
  const alignment = Number(entries.get('general.alignment') ?? 32);
  const data = Math.ceil(at / alignment) * alignment;
  const tensors = new Map<string, PlainTensor>();
  for (const { name, shape, type, offset } of infos) {
    const [values, size] = BLOCKS[type] ?? fail('a type of weights');
    const bytes = (shape.reduce((product, n) => product * n, 1) / values) * size;
    const start = data + offset;
    if (!(start + bytes <= file.length)) fail('the end of the file');
    if (tensors.has(name)) fail('a tensor twice');
    tensors.set(name, { name, shape, type, bytes: file.subarray(start, start + bytes) });
  }
  return { entries, tensors, fields, data };
}

function fail(what: string): never {
  throw new RangeError(what);
}
