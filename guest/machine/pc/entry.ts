import { main } from 'app';
import { requireFeatures, requireState } from '../features.ts';
import { startClock } from './clock.ts';
import { enableFeatures } from './cpu.ts';
import { catchExceptions } from './interrupts.ts';
import { protectMemory } from './paging.ts';
import { powerOff } from './power.ts';
import { readStartInfo } from './startInfo.ts';
import { startUart } from './uart.ts';

/** The deepest calls are the engine's, which keep a few vectors and small arrays there. */
const STACK_BYTES: i32 = 131072;

entry.pvh(start, STACK_BYTES);

/**
 * info: address of hvm_start_info. Until enableFeatures() nothing may touch a vector register.
 * @generalRegisters
 */
function start(info: usize): void {
  const ticks = cpu.rdtsc();
  startUart();
  requireFeatures();
  readStartInfo(info);
  enableFeatures();
  requireState();
  run(ticks);
}

/** @noinline */
function run(ticks: u64): void {
  startClock(ticks);
  catchExceptions();
  protectMemory();
  main();
  powerOff();
}
