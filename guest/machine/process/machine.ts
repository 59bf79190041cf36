import { adviseLargePages } from './system.ts';

/*
 * A Linux process as a machine: `PROGRAM PACKFILE [THREADS]`, console on standard input and output.
 * No C library. As `/init` of a kernel's initramfs it is all of the machine's userspace: first.ts.
 * guest/machine/README.md describes the interface, which every machine exports from a file of this
 * name.
 */
export { cpuFeatures } from 'arch/features';
export { Milestone } from '../milestone.ts';
export { barrier, coreCount, MAX_CORES, parallel } from '../pool.ts';
export { bootNanos, milestoneNanos, now } from './clock.ts';
export { poll, read, write } from './console.ts';
export { leave as powerOff } from './first.ts';
export { packLength, packStart } from './pack.ts';

/** Large pages are the kernel's to give: storage that was not touched yet mostly gets them. */
export function preferLargePages(start: Ptr<u8>, length: usize): void {
  adviseLargePages(changetype<usize>(start), length);
}
