import type { TensorType } from '../model.ts';

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

/** The tensor types that this project computes with, by ggml's number. */
export const tensorTypes: Record<number, TensorType> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  8: 'Q8_0',
  14: 'Q6_K',
  30: 'BF16',
};

/** Names of the others, for messages. */
export const unsupportedTensorTypes: Record<number, string> = {
  6: 'Q5_0',
  7: 'Q5_1',
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  12: 'Q4_K',
  13: 'Q5_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
};
