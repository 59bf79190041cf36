/*
 * A PC without firmware or operating system: entered by the PVH protocol (QEMU microvm and q35,
 * Firecracker) or by Limine, console on its serial port. guest/machine/README.md describes the
 * interface, which every machine exports from a file of this name.
 */
export { cpuFeatures } from 'arch/features';
export { poll, write } from '../../device/uart16550.ts';
export { bootNanos, milestoneNanos, now } from '../clock.ts';
export { MOST_CORES as MAX_CORES } from '../limits.ts';
export { Milestone } from '../milestone.ts';
export { barrier, coreCount, parallel } from '../pool.ts';
export { read } from './console.ts';
export { packLength, packStart } from './handover.ts';
export { powerOff } from './power.ts';

/** All pages that can be are large here (paging.ts). */
export function preferLargePages(start: Ptr<u8>, length: usize): void {}
