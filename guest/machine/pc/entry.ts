import { moveToStack, readTicks } from 'arch/cpu';
import 'arch/pvhEntry';
import { main } from 'app';
import { enableFeatures } from 'arch/enable';
import { catchExceptions } from 'arch/exceptions';
import { requireFeatures, requireState } from 'arch/features';
import { COM1 } from 'arch/layout';
import { measureByPit, startCounter } from '../../device/pit.ts';
import { isThere, startUart } from '../../device/uart16550.ts';
import { reach, startClock } from '../clock.ts';
import { CORE_STACK_BYTES, MOST_CORES } from '../limits.ts';
import { Milestone } from '../milestone.ts';
import { startCores } from './cores.ts';
import { PIT } from './layout.ts';
import { readAnswers } from './limine.ts';
import { protectMemory } from './paging.ts';
import { powerOff } from './power.ts';
import { readStartInfo } from './startInfo.ts';

/**
 * The first core's stack, below it the others' (layout.ts). The deepest calls are the engine's,
 * which keep a few vectors and small arrays there.
 */
const STACK_BYTES: usize = 131072 + usize(MOST_CORES - 1) * CORE_STACK_BYTES;
/**
 * Where link.ld puts it, no linked name is needed: see stack_end there.
 * @align 64
 * @section .bss.stack
 */
const stack = zeroed<FixedArray<u8, typeof STACK_BYTES>>();

/**
 * The address that the ELF gives, in 64-bit mode on a stack of Limine's.
 * @symbol startByLimine
 * @generalRegisters
 */
function startByLimine(): void {
  moveToStack(changetype<usize>(ref(stack)) + STACK_BYTES, start, 0);
}

/**
 * info: address of hvm_start_info; 0: Limine has started us. Until enableFeatures() nothing may
 * touch a vector register.
 * @symbol start
 * @generalRegisters
 */
function start(info: usize): void {
  const ticks = readTicks();
  startUart(COM1);
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
  if (!startClock(ticks, measureByPit)) startCounter(PIT);
  reach(Milestone.MemoryReady);
  catchExceptions();
  protectMemory();
  reach(Milestone.PackMapped);
  startCores();
  reach(Milestone.CoresUp);
  main();
  powerOff(0);
}
