import { main } from 'app';
import { requireFeatures, requireState } from 'arch/features';
import { Milestone } from '../milestone.ts';
import { reach, startClock } from '../x86/clock.ts';
import { enableFeatures } from '../x86/cpu.ts';
import { catchExceptions } from '../x86/interrupts.ts';
import { CORE_STACK_BYTES, MOST_CORES } from '../x86/layout.ts';
import { isThere, startUart } from '../x86/uart.ts';
import { startCores } from './cores.ts';
import { IMAGE_STACK_GUARD, PAGE } from './layout.ts';
import { readAnswers } from './limine.ts';
import { protectMemory } from './paging.ts';
import { measureByPit, startCounter } from './pit.ts';
import { powerOff } from './power.ts';
import { readStartInfo } from './startInfo.ts';

/** The first core's stack, below it the others' (layout.ts). The deepest calls are the engine's, which keep a few vectors and small arrays there. */
const STACK_BYTES: i32 = 131072 + (MOST_CORES - 1) * CORE_STACK_BYTES;

entry.pvh(start, STACK_BYTES);

/**
 * The address that the ELF gives, in 64-bit mode on a stack of Limine's.
 * @symbol startByLimine
 * @generalRegisters
 */
function startByLimine(): void {
  cpu.moveToStack(load<usize>(IMAGE_STACK_GUARD) + PAGE + usize(STACK_BYTES), start, 0);
}

/**
 * info: address of hvm_start_info; 0: Limine has started us. Until enableFeatures() nothing may touch a vector register.
 * @generalRegisters
 */
function start(info: usize): void {
  const ticks = cpu.rdtsc();
  startUart();
  if (!isThere()) powerOff(1); // there is nobody to talk to
  requireFeatures();
  if (info == 0) readAnswers();
  else readStartInfo(info);
  enableFeatures();
  requireState();
  run(ticks);
}

/** @noinline */
function run(ticks: u64): void {
  if (!startClock(ticks, measureByPit)) startCounter();
  reach(Milestone.MemoryReady);
  catchExceptions();
  protectMemory();
  reach(Milestone.PackMapped);
  startCores();
  reach(Milestone.CoresUp);
  main();
  powerOff(0);
}
