/** GGUF's metadata value types by number, with the bytes that one takes (0: variable). */
export const valueTypes: Record<number, { name: ValueType; bytes: number }> = {
  0: { name: 'u8', bytes: 1 },
  1: { name: 'i8', bytes: 1 },
  2: { name: 'u16', bytes: 2 },
  3: { name: 'i16', bytes: 2 },
  4: { name: 'u32', bytes: 4 },
  5: { name: 'i32', bytes: 4 },
  6: { name: 'f32', bytes: 4 },
  7: { name: 'bool', bytes: 1 },
  8: { name: 'string', bytes: 0 },
  9: { name: 'array', bytes: 0 },
  10: { name: 'u64', bytes: 8 },
  11: { name: 'i64', bytes: 8 },
  12: { name: 'f64', bytes: 8 },
};

export type ValueType =
  | ('u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'u64' | 'i64')
  | ('f32' | 'f64' | 'bool' | 'string' | 'array');
