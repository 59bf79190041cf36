/**
 * A Linux process as a machine: `PROGRAM PACKFILE [THREADS]`, console on standard input and output. No C library.
 * guest/machine/README.md describes the interface, which every machine exports from a file of this name.
 */
export { bootNanos, now } from './clock.ts';
export { poll, read, write } from './console.ts';
export { packLength, packStart } from './pack.ts';
export { exit as powerOff } from './system.ts';
export { coreCount, parallel } from './threads.ts';
