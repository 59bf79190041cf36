import { poll as pollUart, write as writeUart } from '../../device/uart16550.ts';
import { bootNanos as clockBootNanos, now as clockNow } from '../clock.ts';
import { barrier as awaitAll, coreCount as countCores, parallel as shareOut } from '../pool.ts';
import { read as readConsole } from './console.ts';
import { packLength as moduleLength, packStart as moduleStart } from './handover.ts';
import { powerOff as switchOff } from './power.ts';

export { cpuFeatures } from 'arch/features';
export { milestoneNanos } from '../clock.ts';
export { MOST_CORES as MAX_CORES } from '../limits.ts';
export { Milestone } from '../milestone.ts';

/*
 * A PC without firmware or operating system: entered by the PVH protocol (QEMU microvm and q35,
 * Firecracker) or by Limine, console on its serial port. guest/machine/README.md describes the
 * interface, which every machine exports from a file of this name.
 */

/** @generalRegisters */
export function write(bytes: Ptr<u8>, length: usize): void {
  writeUart(bytes, length);
}

export function read(): i32 {
  return readConsole();
}

export function poll(): i32 {
  return pollUart();
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
  return moduleStart();
}

export function packLength(): usize {
  return moduleLength();
}

/** All pages that can be are large here (paging.ts). */
export function preferLargePages(start: Ptr<u8>, length: usize): void {}

/** @generalRegisters */
export function powerOff(code: i32): void {
  switchOff(code);
}
