/** All builtins by name. Those of vectors are looked up without their type: `load` of f32x16.load. */

import { arithmetic } from './arithmetic.ts';
import type { Intrinsic } from './intrinsic.ts';
import { linux } from './linux.ts';
import { machine } from './machine.ts';
import { memory } from './memory.ts';
import { startup } from './startup.ts';
import { vectors } from './vectors.ts';

const byName = (list: Intrinsic[]): ReadonlyMap<string, Intrinsic> =>
  new Map(list.map((intrinsic) => [intrinsic.name, intrinsic]));

export const INTRINSICS = byName([...arithmetic, ...memory, ...machine, ...startup, ...linux]);
export const VECTOR_INTRINSICS = byName(vectors);

/** Compile-time builtins, which check/builtins.ts answers itself. */
export const COMPILE_TIME = [
  'sizeof',
  'alignof',
  'offsetof',
  'ref',
  'zeroed',
  'asm',
  'everyUnit',
] as const;

/** Statements at module level that make an entry point: emit/entry.ts. */
export const ENTRIES = ['entry.linuxProcess', 'entry.pvh', 'entry.efi'] as const;
