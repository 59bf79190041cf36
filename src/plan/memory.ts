/** What a guest needs beside its pack: the compiler's list of its storage, summed up. */
import type { Storage } from '../compiler/index.ts';

export interface GuestMemory {
  keyValueBytes: number;
  /** Activations, logits, sampler, tokenizer, console. */
  workBytes: number;
  /** Stacks, tables of pages and cores, input: what the machine has for itself. */
  machineBytes: number;
}

const CACHE = { file: 'guest/kernels/attention.ts', name: 'cache' };

/** storage: of a guest's program, as compileGuest has it. */
export function memoryOf(storage: readonly Storage[]): GuestMemory {
  const memory = { keyValueBytes: 0, workBytes: 0, machineBytes: 0 };
  for (const { file, name, bytes } of storage) {
    if (file === CACHE.file && name === CACHE.name) memory.keyValueBytes += bytes;
    else if (/^guest\/(machine|arch|device)\//.test(file)) memory.machineBytes += bytes;
    else memory.workBytes += bytes;
  }
  return memory;
}
