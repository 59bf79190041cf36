/**
 * Constants that the build hands to a program as a module, such as the dimensions of the model it
 * is compiled for.
 */

/**
 * name → value. An integer is i32 if it fits, else i64, else u64; any other number f64; a boolean
 * bool; an array a read-only table of such, or of strings. `{ type, value }` says the type.
 */
export type Constants = Record<string, Constant>;

export type Constant =
  | number
  | bigint
  | boolean
  | readonly number[]
  | readonly string[]
  | { type: ConstantType; value: number | bigint | readonly (number | bigint)[] };

export type ConstantType =
  | 'i8'
  | 'i16'
  | 'i32'
  | 'i64'
  | 'isize'
  | 'u8'
  | 'u16'
  | 'u32'
  | 'u64'
  | 'usize'
  | 'f32'
  | 'f64';
