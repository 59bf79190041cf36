/**
 * A PC without firmware or operating system: entered by the PVH protocol (QEMU microvm and q35, Firecracker), console on
 * its serial port. guest/machine/README.md describes the interface, which every machine exports from a file of this name.
 */
export { bootNanos, now } from './clock.ts';
export { read } from './console.ts';
export { coreCount, parallel } from './cores.ts';
export { powerOff } from './power.ts';
export { packLength, packStart } from './startInfo.ts';
export { poll, write } from './uart.ts';
