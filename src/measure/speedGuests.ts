/** The guests that `mu bench` times: guest/apps/bench.ts with a model, guest/apps/bandwidth.ts without. */
import { readFileSync } from 'node:fs';
import type { PreparedPack } from '../stacks/prepare.ts';
import { type Child, killChild, startChild } from '../toolchain/children.ts';
import type { CpuLevel } from '../toolchain/clang.ts';
import { compileGuest } from '../toolchain/guest.ts';
import type { Test } from './speed.ts';
import { createReceiver, lastWords } from './wire.ts';

/** What a process holds in memory, in bytes (proc_pid_status(5): VmHWM, RssAnon, RssFile). */
export interface Resident {
  peak: number;
  anonymous: number;
  file: number;
}

export interface EngineRun {
  nanos: number;
  resident: Resident;
}

/** Measures one test in a process of its own. */
export type RunEngine = (test: Test, threads: number, signal?: AbortSignal) => Promise<EngineRun>;

/** What the memory gives while `threads` read it, and how far two processors are apart. */
export interface MemoryState {
  /** Bytes per nanosecond: GB/s. */
  bandwidth: number;
  /** Nanoseconds that a cache line takes from one processor to another; null where there is one only. */
  hop: number | null;
}

export interface MemoryProbe {
  measure(threads: number): Promise<MemoryState>;
  end(): void;
}

/** The engine compiled to be timed. Default level: the host's own CPU's. */
export async function compileBench(pack: PreparedPack, cpu?: CpuLevel): Promise<RunEngine> {
  const { constants } = pack;
  const { elf } = await compileGuest({ machine: 'process', app: 'bench', constants, cpu });
  return async (test, threads, signal) => {
    const child = startChild(elf, [pack.path, String(threads)]);
    const ask = createAsker(child);
    const stop = () => killChild(child);
    signal?.addEventListener('abort', stop);
    try {
      const { prompt, generated, depth } = test;
      // As llama-bench warms up: the prompt, or one token. The positions up to `depth` are filled with it.
      await ask([prompt, Math.min(generated, 1), depth], 1);
      const [nanos] = await ask([prompt, generated, depth], 1);
      return { nanos, resident: readResident(child.pid as number) };
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
      killChild(child);
    }
  };
}

/** threads: the most that will be asked for. It takes 512 MiB of memory until it is ended. */
export async function startMemoryProbe(threads: number): Promise<MemoryProbe> {
  const { elf } = await compileGuest({ machine: 'process', app: 'bandwidth', constants: {} });
  // Every process of ours maps a pack; this one has none and is given itself.
  const child = startChild(elf, [elf, String(threads)]);
  const ask = createAsker(child);
  return {
    async measure(readers) {
      const [bytes, nanos] = await ask([readers], 2);
      const [hops, hopNanos] = threads > 1 ? await ask([0], 2) : [];
      return { bandwidth: bytes / nanos, hop: threads > 1 ? hopNanos / hops : null };
    },
    end: () => killChild(child),
  };
}

/** Sends words of 32 bits when the guest is ready, and returns so many numbers of 64 bits. */
function createAsker(child: Child): (words: number[], answers: number) => Promise<number[]> {
  child.stdin.on('error', () => {}); // a guest that has ended: the answer says so
  const { receive, awaitReady } = createReceiver({ input: child.stdin, output: child.stdout });
  return async (words, answers) => {
    await awaitReady();
    child.stdin.write(new Uint8Array(Uint32Array.from(words).buffer));
    const bytes = new Uint8Array(8 * answers);
    const received = await receive(bytes);
    if (received < bytes.length) {
      throw new Error(
        `the guest stopped while it was timed${lastWords(bytes.subarray(0, received))}`,
      );
    }
    return [...new BigUint64Array(bytes.buffer)].map(Number);
  };
}

function readResident(pid: number): Resident {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytes = (name: string) => {
    const match = new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(status);
    if (!match) throw new Error(`/proc/${pid}/status: found no ${name}; Linux 4.5 or newer has it`);
    return Number(match[1]) * 1024;
  };
  return { peak: bytes('VmHWM'), anonymous: bytes('RssAnon'), file: bytes('RssFile') };
}
