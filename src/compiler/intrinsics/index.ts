/**
 * All builtins by name. Those of vectors are looked up without their type: `load` of f32x16.load.
 */

import { arithmetic } from './arithmetic.ts';
import type { Intrinsic } from './intrinsic.ts';
import { memory } from './memory.ts';
import { vectors } from './vectors.ts';

const byName = (list: Intrinsic[]): ReadonlyMap<string, Intrinsic> =>
  new Map(list.map((intrinsic) => [intrinsic.name, intrinsic]));

export const INTRINSICS = byName([...arithmetic, ...memory]);
export const VECTOR_INTRINSICS = byName(vectors);

/** Compile-time builtins, which check/builtins.ts answers itself. */
export const COMPILE_TIME = ['sizeof', 'ref', 'zeroed', 'asm', 'everyUnit'] as const;
