/*
 * A PC or virtual machine with UEFI: one EFI application, console on serial port, screen and
 * keyboard, pack on the disk that it was started from. guest/machine/README.md describes the
 * interface, which every machine exports from a file of this name.
 */
export { cpuFeatures } from 'arch/features';
export { bootNanos, milestoneNanos, now } from '../clock.ts';
export { MOST_CORES as MAX_CORES } from '../limits.ts';
export { Milestone } from '../milestone.ts';
export { barrier, coreCount, parallel } from '../pool.ts';
export { poll, read } from './input.ts';
export { packLength, packStart } from './pack.ts';
export { powerOff, write } from './power.ts';

/** Firmware maps its memory in pages as large as they can be. */
export function preferLargePages(start: Ptr<u8>, length: usize): void {}
