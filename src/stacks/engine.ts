/**
 * What answers: an engine makes of a model what a machine starts, and what that program is given.
 * There is one row for each. A stack puts into its image what it gets from here, and knows nothing
 * else of how answers come about.
 */
import type { ToolName } from '../toolchain/tools.ts';
import { type GuestRequest, type PreparedGuest, prepareGuest } from './prepare.ts';

export interface Engine {
  /** What must be installed to prepare it, beside the stack's own tools. */
  tools: readonly ToolName[];
  /**
   * The program for one machine, the file that it is given, facts of the model, memory: made, or
   * found in the cache.
   */
  prepare(request: GuestRequest): Promise<PreparedGuest>;
}

const ENGINES = {
  /**
   * A program compiled for the model, which computes on the processor, and a pack of the weights.
   */
  cpu: { tools: ['clang', 'lld'], prepare: prepareGuest },
} as const satisfies Record<string, Engine>;
export type EngineName = keyof typeof ENGINES;

export const ENGINE_NAMES = Object.keys(ENGINES) as EngineName[];

/** Throws if there is none of that name. */
export function engineNamed(name: string = 'cpu'): Engine {
  if (Object.hasOwn(ENGINES, name)) return ENGINES[name as EngineName];
  throw new Error(`no engine is named ${name}: there is ${ENGINE_NAMES.join(', ')}`);
}
