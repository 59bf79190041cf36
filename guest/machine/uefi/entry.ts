import { moveToStack, readTicks } from 'arch/cpu';
import 'arch/efiEntry';
import { main } from 'app';
import { enableFeatures } from 'arch/enable';
import { catchExceptions } from 'arch/exceptions';
import { requireFeatures, requireState } from 'arch/features';
import { keepExceptions } from 'arch/firmwareState';
import { COM1 } from 'arch/layout';
import { startUart } from '../../device/uart16550.ts';
import { reach, startClock } from '../clock.ts';
import { Milestone } from '../milestone.ts';
import { measureByStall } from './clock.ts';
import { startCores } from './cores.ts';
import { stopWatchdog, takeSerialPorts, useFirmware } from './firmware.ts';
import { startKeyboard } from './keyboard.ts';
import { findPack } from './pack.ts';
import { protectMemory } from './paging.ts';
import { powerOff } from './power.ts';
import { startScreen } from './screen.ts';
import { stackEnd } from './stacks.ts';

/**
 * image, table: what firmware hands over. Until enableFeatures() nothing may touch a vector
 * register.
 * @symbol start
 * @generalRegisters
 */
function start(image: usize, table: usize): void {
  const ticks = readTicks();
  useFirmware(image, table);
  stopWatchdog();
  takeSerialPorts();
  startUart(COM1);
  startScreen();
  startKeyboard();
  requireFeatures();
  enableFeatures();
  requireState();
  moveToStack(stackEnd(0), run, usize(ticks));
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
