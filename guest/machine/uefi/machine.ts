import { bootNanos as clockBootNanos, now as clockNow } from '../clock.ts';
import { barrier as awaitAll, coreCount as countCores, parallel as shareOut } from '../pool.ts';
import { poll as pollConsole, read as readConsole } from './input.ts';
import { packLength as fileLength, packStart as fileStart } from './pack.ts';
import { powerOff as switchOff, write as writeConsole } from './power.ts';

export { cpuFeatures } from 'arch/features';
export { milestoneNanos } from '../clock.ts';
export { MOST_CORES as MAX_CORES } from '../limits.ts';
export { Milestone } from '../milestone.ts';

/*
 * A PC or virtual machine with UEFI: one EFI application, console on serial port, screen and
 * keyboard, pack on the disk that it was started from. guest/machine/README.md describes the
 * interface, which every machine exports from a file of this name.
 */

/** @generalRegisters */
export function write(bytes: Ptr<u8>, length: usize): void {
  writeConsole(bytes, length);
}

export function read(): i32 {
  return readConsole();
}

export function poll(): i32 {
  return pollConsole();
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
  return fileStart();
}

export function packLength(): usize {
  return fileLength();
}

/** Firmware maps its memory in pages as large as they can be. */
export function preferLargePages(start: Ptr<u8>, length: usize): void {}

/** @generalRegisters */
export function powerOff(code: i32): void {
  switchOff(code);
}
