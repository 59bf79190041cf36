/**
 * The form of a builtin: what it takes, what it gives, and the C that it becomes. The tables of
 * this folder are the one home of all builtins; guest/dialect.d.ts declares them for editors, and a
 * test compares the two.
 */

import type { FloatType, IntegerType, Type, VectorType } from '../types.ts';

/**
 * What a parameter takes, or what is given:
 *   T         the type that the builtin is generic over
 *   V E M     the vector, its element, its mask          W     any vector
 *   U8 I8 I16 vectors of as many bytes as V
 *   pE        Ptr<E>                                     address  a usize or any pointer
 *   index     any integer                                any      anything
 *   constant  an integer known at compile time
 * or the name of a type of the dialect: u8, usize, bool, string, void, never, Ptr<u8>, …
 */
export type Parameter = string;

/** How an intrinsic may disturb what stands beside it: see emit/effects.ts. */
export type Effect = 'none' | 'reads' | 'writes';

/** What an intrinsic sees of one of its uses, to write its C. */
export interface Use {
  /** C of the arguments; left-out ones are missing */
  args: string[];
  argTypes: Type[];
  /** values of the constant arguments, by position */
  constants: (bigint | undefined)[];
  /** the type arguments as they are in the dialect */
  types: Type[];
  result: Type;
  checked: boolean;
  /** C name of a type, usable as a prefix of function names if it is a scalar or vector */
  c: (type: Type) => string;
  /** the same for any type, as part of an identifier */
  mangle: (type: Type) => string;
  bits: (type: IntegerType | FloatType) => number;
  vector: (element: string, lanes: number) => VectorType;
  /**
   * Has a C definition put before the program, once. `{` in the text is literal; `HELPER` stands
   * for `static inline`. Returns the name. Definitions come in the order of first use, so a helper
   * asks for those it calls first.
   */
  helper: (name: string, text: string) => string;
  /** arguments `&file_1, 12` for the helpers of checked builds: where the use stands */
  site: () => string;
  /** C of a string literal */
  text: (text: string) => string;
  /** the panic of checked builds: a void expression that never returns; message: C of a string */
  panic: (message: string) => string;
}

export interface Intrinsic {
  name: string;
  /** has a type parameter T */
  generic?: boolean;
  /** what T, or the element of V, may be; default: any type that a variable can hold */
  of?: 'integer' | 'float' | 'f32' | 'i8' | 'i16' | 'i32' | 'number' | 'scalar';
  parameters: Parameter[];
  /** how many of the parameters may be left out at the end */
  optional?: number;
  result: Parameter;
  effect: Effect;
  c: (use: Use) => string;
}

export const isSigned = (type: Type) => type.kind === 'integer' && type.signed;
