import 'arch/processEntry';
import { main } from 'app';
import { requireFeatures, requireState } from 'arch/features';
import { addText, type Line } from '../line.ts';
import { Milestone } from '../milestone.ts';
import { MAX_CORES } from '../pool.ts';
import { reach, startClock } from './clock.ts';
import { writeAll } from './console.ts';
import { beginFirst, leave } from './first.ts';
import { openPack } from './pack.ts';
import { catchFaults } from './signals.ts';
import { cpuCount, exit, STDERR } from './system.ts';
import { startThreads } from './threads.ts';

/**
 * stack: argc, argv[0], argv[1] … (System V ABI, AMD64, figure 3.9).
 * @symbol start
 * @generalRegisters
 */
function start(stack: Ptr<usize>): void {
  requireFeatures();
  requireState();
  run(stack);
}

/** @noinline */
function run(stack: Ptr<usize>): void {
  startClock();
  catchFaults();
  reach(Milestone.MemoryReady);
  if (beginFirst(stack)) {
    openPack(utf8('/model.pack\0'));
    reach(Milestone.PackMapped);
    startThreads(min(cpuCount(), MAX_CORES));
  } else {
    readArguments(stack);
  }
  reach(Milestone.CoresUp);
  main();
  leave(0);
}

function readArguments(stack: Ptr<usize>): void {
  const count = stack[0];
  if (count < 2 || count > 3) refuse('usage: PROGRAM PACKFILE [THREADS]');
  openPack(changetype<Ptr<u8>>(stack[2]));
  reach(Milestone.PackMapped);
  if (count == 3) startThreads(threadCount(changetype<Ptr<u8>>(stack[3])));
}

/** text: decimal digits, ended by a zero byte. */
function threadCount(text: Ptr<u8>): i32 {
  let value: i32 = 0;
  let i: i32 = 0;
  while (text[i] >= 0x30 && text[i] <= 0x39 && value <= MAX_CORES) {
    value = value * 10 + i32(text[i]) - 0x30;
    i++;
  }
  if (text[i] != 0 || value < 1 || value > MAX_CORES) {
    refuse('THREADS must be a number from 1 to 64');
  }
  return value;
}

function refuse(message: string): void {
  const line = zeroed<Line>();
  addText(ref(line), message);
  addText(ref(line), '\n');
  writeAll(STDERR, ref(line.bytes[0]), line.length);
  exit(2);
}
