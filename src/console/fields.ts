/**
 * Structs of the console protocol as bytes: little endian, in hexadecimal, each field at a
 * multiple of its size, as C has it.
 */
import type { FieldType } from './protocol.ts';

type Fields = Record<string, FieldType>;
/** A field's value in TypeScript. */
export type Values<F extends Fields> = { [K in keyof F]: F[K] extends 'u64' ? bigint : number };

const SIZES: Record<FieldType, number> = { u8: 1, i32: 4, u32: 4, f32: 4, u64: 8 };

/** Where each field begins, and how long the struct is: whole multiples of its largest field. */
export function layoutFields(fields: Fields): { offsets: Map<string, number>; bytes: number } {
  const offsets = new Map<string, number>();
  let end = 0;
  let largest = 1;
  for (const [name, type] of Object.entries(fields)) {
    const size = SIZES[type];
    const offset = Math.ceil(end / size) * size;
    offsets.set(name, offset);
    end = offset + size;
    largest = Math.max(largest, size);
  }
  return { offsets, bytes: Math.ceil(end / largest) * largest };
}

export function encodeFields<F extends Fields>(fields: F, values: Values<F>): string {
  const { offsets, bytes } = layoutFields(fields);
  const view = new DataView(new ArrayBuffer(bytes));
  for (const [name, at] of offsets) {
    const value = values[name];
    switch (fields[name]) {
      case 'u8':
        view.setUint8(at, Number(value));
        break;
      case 'i32':
        view.setInt32(at, Number(value), true);
        break;
      case 'u32':
        view.setUint32(at, Number(value), true);
        break;
      case 'f32':
        view.setFloat32(at, Number(value), true);
        break;
      case 'u64':
        view.setBigUint64(at, BigInt(value), true);
        break;
    }
  }
  return Buffer.from(view.buffer).toString('hex');
}

/** The values, or what is wrong with the digits. */
export function decodeFields<F extends Fields>(fields: F, hex: string): Values<F> | string {
  const { offsets, bytes } = layoutFields(fields);
  if (!/^[0-9a-fA-F]*$/.test(hex) || hex.length !== 2 * bytes) {
    return `expected ${2 * bytes} hexadecimal digits, got ${hex.length}: "${hex.slice(0, 40)}"`;
  }
  const { buffer, byteOffset } = Buffer.from(hex, 'hex');
  const view = new DataView(buffer, byteOffset, bytes);
  const read = (type: FieldType, at: number) => {
    switch (type) {
      case 'u8':
        return view.getUint8(at);
      case 'i32':
        return view.getInt32(at, true);
      case 'u32':
        return view.getUint32(at, true);
      case 'f32':
        return view.getFloat32(at, true);
      case 'u64':
        return view.getBigUint64(at, true);
    }
  };
  const entries = [...offsets].map(([name, at]) => [name, read(fields[name], at)]);
  return Object.fromEntries(entries) as Values<F>;
}
