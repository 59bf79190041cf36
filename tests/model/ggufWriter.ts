/**
 * Writes GGUF files for tests and benchmarks: metadata of any type, tensors of any bytes. docs:
 * ggml's docs/gguf.md.
 */

export type GgufValue =
  | { type: 'u8' | 'u16' | 'u32' | 'i32' | 'f32' | 'u64'; value: number }
  | { type: 'bool'; value: boolean }
  | { type: 'string'; value: string | Uint8Array }
  | { type: 'strings'; value: readonly (string | Uint8Array)[] }
  | { type: 'i32s' | 'f32s'; value: readonly number[] }
  | { type: 'bools'; value: readonly boolean[] };

export interface GgufTensor {
  name: string;
  /** Fastest first: [columns, rows]. */
  shape: readonly number[];
  /** ggml's type number. */
  type: number;
  bytes: Uint8Array;
}

export interface GgufContent {
  version?: number;
  metadata: Record<string, GgufValue>;
  tensors: readonly GgufTensor[];
}

const ALIGNMENT = 32;

/** What a file says of its tensors before their bytes come. */
export interface GgufPlan {
  version?: number;
  metadata: Record<string, GgufValue>;
  tensors: readonly (Omit<GgufTensor, 'bytes'> & { bytes: { readonly length: number } })[];
}

export function writeGguf(content: GgufContent): Uint8Array {
  const data = content.tensors.flatMap(({ bytes }) => [bytes, ggufPadding(bytes.length)]);
  return Buffer.concat([ggufHead(content), ...data]);
}

/**
 * The file up to its first tensor's bytes. The tensors follow in their order, `ggufPadding` after
 * each.
 */
export function ggufHead({ version = 3, metadata, tensors }: GgufPlan): Buffer {
  const entries = Object.entries(metadata).flatMap(([key, value]) => [text(key), ...entry(value)]);
  let offset = 0;
  const infos: Buffer[] = [];
  for (const { name, shape, type, bytes } of tensors) {
    const dimensions = shape.map((size) => u64(size));
    infos.push(text(name), u32(shape.length), ...dimensions, u32(type), u64(offset));
    offset += bytes.length + ggufPadding(bytes.length).length;
  }
  const counts = [u64(tensors.length), u64(Object.keys(metadata).length)];
  const parts = [Buffer.from('GGUF'), u32(version), ...counts, ...entries, ...infos];
  const head = Buffer.concat(parts);
  return Buffer.concat([head, ggufPadding(head.length)]);
}

/** Zeros that follow `length` bytes up to the next tensor. */
export function ggufPadding(length: number): Buffer {
  return Buffer.alloc((ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT);
}

function entry({ type, value }: GgufValue): Buffer[] {
  switch (type) {
    case 'u8':
      return [u32(0), Buffer.of(value)];
    case 'u16':
      return [u32(2), Buffer.of(value & 0xff, value >> 8)];
    case 'u32':
      return [u32(4), u32(value)];
    case 'i32':
      return [u32(5), i32(value)];
    case 'f32':
      return [u32(6), f32(value)];
    case 'u64':
      return [u32(10), u64(value)];
    case 'bool':
      return [u32(7), Buffer.of(value ? 1 : 0)];
    case 'string':
      return [u32(8), text(value)];
    case 'strings':
      return [u32(9), u32(8), u64(value.length), ...value.map(text)];
    case 'i32s':
      return [u32(9), u32(5), u64(value.length), ...value.map(i32)];
    case 'bools':
      return [u32(9), u32(7), u64(value.length), Buffer.from(value.map(Number))];
    case 'f32s':
      return [u32(9), u32(6), u64(value.length), ...value.map(f32)];
  }
}

function text(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function i32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
