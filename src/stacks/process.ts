/** The engine as an ordinary Linux process: static, no libc, raw system calls. */
import { availableParallelism } from 'node:os';
import { connectGuest, type Guest, type GuestSettings } from '../console/guest.ts';
import { startChild } from '../toolchain/children.ts';

export interface ProcessStart {
  elf: string;
  /** Path of the pack. */
  pack: string;
  /** Default: one per processor. */
  threads?: number;
}

const MOST_THREADS = 64; // guest/machine/pool.ts

export function defaultThreads(): number {
  return Math.min(availableParallelism(), MOST_THREADS);
}

export function startProcess(start: ProcessStart, settings: GuestSettings = {}): Guest {
  const startedAt = performance.now();
  const threads = start.threads ?? defaultThreads();
  const child = startChild(start.elf, [start.pack, String(threads)]);
  return connectGuest(child, { startedAt, ...settings });
}
