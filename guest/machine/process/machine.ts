import { barrier as awaitAll, coreCount as countCores, parallel as shareOut } from '../pool.ts';
import { bootNanos as clockBootNanos, now as clockNow } from './clock.ts';
import { poll as pollInput, read as readInput, write as writeOutput } from './console.ts';
import { leave } from './first.ts';
import { packLength as mappedLength, packStart as mappedStart } from './pack.ts';
import { adviseLargePages } from './system.ts';

export { cpuFeatures } from 'arch/features';
export { Milestone } from '../milestone.ts';
export { MAX_CORES } from '../pool.ts';
export { milestoneNanos } from './clock.ts';

/*
 * A Linux process as a machine: `PROGRAM PACKFILE [THREADS]`, console on standard input and output.
 * No C library. As `/init` of a kernel's initramfs it is all of the machine's userspace: first.ts.
 * guest/machine/README.md describes the interface, which every machine exports from a file of this
 * name.
 */

/** A call is a system call: write whole lines and whole tokens. */
export function write(bytes: Ptr<u8>, length: usize): void {
  writeOutput(bytes, length);
}

export function read(): i32 {
  return readInput();
}

export function poll(): i32 {
  return pollInput();
}

export function now(): u64 {
  return clockNow();
}

export function bootNanos(): u64 {
  return clockBootNanos();
}

export function coreCount(): i32 {
  return countCores();
}

export function parallel(task: (index: i32, count: i32) => void): void {
  shareOut(task);
}

export function barrier(core: i32): void {
  awaitAll(core);
}

export function packStart(): Ptr<u8> {
  return mappedStart();
}

export function packLength(): usize {
  return mappedLength();
}

/** Large pages are the kernel's to give: storage that was not touched yet mostly gets them. */
export function preferLargePages(start: Ptr<u8>, length: usize): void {
  adviseLargePages(changetype<usize>(start), length);
}

export function powerOff(code: i32): void {
  leave(code);
}
