/**
 * The guests that `mu bench` times: guest/apps/bench.ts with a model, guest/apps/bandwidth.ts
 * without.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { PreparedPack } from '../stacks/prepare.ts';
import { type Child, killChild, startChild } from '../toolchain/children.ts';
import { compileGuest } from '../toolchain/guest.ts';
import { forgetPages, LARGE_ENOUGH, largePageShare } from '../toolchain/pageCache.ts';
import type { VariantName } from '../toolchain/variants.ts';
import type { MemoryProbe, Resident, Test } from './speed.ts';
import { createReceiver, lastWords } from './wire.ts';

export interface EngineRun {
  nanos: number;
  /** f32[VOCABULARY] after the last token. */
  logits: Float32Array;
  resident: Resident;
  largePages?: number;
}

/** Measures one test in a process of its own. */
export type RunEngine = (test: Test, threads: number, signal?: AbortSignal) => Promise<EngineRun>;

/** The engine compiled to be timed. cpu: only this variant; default: as `mu run` has it. */
export async function compileBench(pack: PreparedPack, cpu?: VariantName): Promise<RunEngine> {
  const { constants } = pack;
  const { elf } = await compileGuest({ machine: 'process', app: 'bench', constants, cpu });
  let isReadAgain = false;
  const run: RunEngine = async (test, threads, signal) => {
    const child = startChild(elf, [pack.path, String(threads)]);
    const ended = once(child, 'exit');
    const ask = createAsker(child);
    const stop = () => killChild(child);
    signal?.addEventListener('abort', stop);
    const time = async (prompt: number, generated: number) => {
      const answer = await ask([prompt, generated, test.depth], 8 + 4 * pack.model.vocabulary);
      const [nanos] = longsOf(answer.subarray(0, 8));
      return { nanos, logits: new Float32Array(answer.buffer, 8) };
    };
    try {
      const { prompt, generated } = test;
      // As llama-bench warms up: the prompt, or one token. The positions up to the depth are filled
      // with it.
      await time(prompt, Math.min(generated, 1));
      const largePages = largePageShare(child.pid as number, pack.path);
      if (isReadAgain || (largePages ?? 1) >= LARGE_ENOUGH) {
        const result = await time(prompt, generated);
        return { ...result, largePages, resident: readResident(child.pid as number) };
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
      killChild(child);
    }
    isReadAgain = true;
    await ended;
    forgetPages(pack.path);
    return run(test, threads, signal);
  };
  return run;
}

/** threads: the most that will be asked for. It takes 512 MiB of memory until it is ended. */
export async function startMemoryProbe(threads: number): Promise<MemoryProbe> {
  // One variant is enough to wait for memory.
  const options = { machine: 'process', app: 'bandwidth', constants: {}, cpu: 'portable' } as const;
  const { elf } = await compileGuest(options);
  // Every process of ours maps a pack; this one has none and is given itself.
  const child = startChild(elf, [elf, String(threads)]);
  const ask = createAsker(child);
  return {
    async measure(readers) {
      if (readers > threads) {
        throw new Error(`memory probe: asked for ${readers} threads, expected at most ${threads}`);
      }
      const [bytes, nanos] = longsOf(await ask([readers], 16));
      const [hops, hopNanos] = threads > 1 ? longsOf(await ask([0], 16)) : [];
      return { bandwidth: bytes / nanos, hop: threads > 1 ? hopNanos / hops : null };
    },
    end: () => killChild(child),
  };
}

/** Sends words of 32 bits when the guest is ready, and returns so many bytes. */
function createAsker(child: Child): (words: number[], bytes: number) => Promise<Uint8Array> {
  child.stdin.on('error', () => {}); // a guest that has ended: the answer says so
  const { receive, awaitReady } = createReceiver({ input: child.stdin, output: child.stdout });
  return async (words, length) => {
    await awaitReady();
    child.stdin.write(new Uint8Array(Uint32Array.from(words).buffer));
    const bytes = new Uint8Array(length);
    const received = await receive(bytes);
    if (received === length) return bytes;
    throw new Error(
      `the guest stopped while it was timed${lastWords(bytes.subarray(0, received))}`,
    );
  };
}

/** Numbers of 64 bits, little endian. */
function longsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / 8 }, (_, i) => Number(view.getBigUint64(8 * i, true)));
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
