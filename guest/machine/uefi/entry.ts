import { main } from 'app';
import { requireFeatures, requireState } from 'arch/features';
import { Milestone } from '../milestone.ts';
import { reach, startClock } from '../x86/clock.ts';
import { enableFeatures } from '../x86/cpu.ts';
import { catchExceptions } from '../x86/interrupts.ts';
import { startUart } from '../x86/uart.ts';
import { measureByStall } from './clock.ts';
import { startCores } from './cores.ts';
import { keepExceptions, stopWatchdog, takeSerialPorts, useFirmware } from './firmware.ts';
import { startKeyboard } from './keyboard.ts';
import { findPack } from './pack.ts';
import { protectMemory } from './paging.ts';
import { powerOff } from './power.ts';
import { startScreen } from './screen.ts';
import { stackEnd } from './stacks.ts';

entry.efi(start);

/**
 * image, table: what firmware hands over. Until enableFeatures() nothing may touch a vector register.
 * @generalRegisters
 */
function start(image: usize, table: usize): void {
  const ticks = cpu.rdtsc();
  useFirmware(image, table);
  stopWatchdog();
  takeSerialPorts();
  startUart();
  startScreen();
  startKeyboard();
  requireFeatures();
  enableFeatures();
  requireState();
  cpu.moveToStack(stackEnd(0), run, usize(ticks));
}

function run(ticks: usize): void {
  startClock(u64(ticks), measureByStall);
  reach(Milestone.MemoryReady);
  findPack();
  reach(Milestone.PackMapped);
  if (catchExceptions()) {
    keepExceptions();
    protectMemory();
    startCores();
  }
  reach(Milestone.CoresUp);
  main();
  powerOff(0);
}
