/** The engine as an ordinary Linux process: static, no libc, raw system calls. */
import { availableParallelism } from 'node:os';
import { connectGuest, type Guest, type GuestSettings } from '../console/guest.ts';
import { processTransport } from '../console/transport.ts';
import { ownTarget, TARGET_NAMES, targetNamed } from '../toolchain/architectures.ts';
import { startChild } from '../toolchain/children.ts';
import { forgetPages, LARGE_ENOUGH, largePageShare } from '../toolchain/pageCache.ts';

export interface ProcessStart {
  elf: string;
  /** Path of the pack. */
  pack: string;
  /** Default: one per processor. */
  threads?: number;
}

export const MOST_THREADS = 64; // guest/machine/pool.ts

export function defaultThreads(): number {
  return Math.min(availableParallelism(), MOST_THREADS);
}

/** Throws where guests cannot run as processes. */
export function requireProcesses(): void {
  if (ownTarget()) return;
  const titles = TARGET_NAMES.map((name) => targetNamed(name).title).join(', ');
  throw new Error(
    `guests run as processes on ${titles} Linux only, so far; this is ${process.platform} on ${process.arch}`,
  );
}

export function startProcess(start: ProcessStart, settings: GuestSettings = {}): Guest {
  requireProcesses();
  const startedAt = performance.now();
  const threads = start.threads ?? defaultThreads();
  const child = startChild(start.elf, [start.pack, String(threads)]);
  return connectGuest(processTransport(child), { startedAt, ...settings });
}

/**
 * Ends a process. Where it had some of its pack in large pages and some in small ones, the next one
 * will have it all in large ones.
 */
export async function endProcess(guest: Guest, pack: string): Promise<void> {
  const share = largePageShare(guest.transport.pid ?? 0, pack);
  await guest.close();
  if (share !== undefined && share > 0 && share < LARGE_ENOUGH) forgetPages(pack);
}
