import { pause, readTicks } from 'arch/cpu';
import { isTrap } from 'arch/faults';
import { powerOff, write } from 'machine';
import { addNumber, addText, type Line } from './line.ts';

/**
 * Reports that may still be made: one that fails is reported too, then no more. Not zero, so that
 * it lies in low memory.
 */
let reportsLeft: u32 = 2;

/** Ticks, a few per nanosecond, that a report gets before whoever comes next speaks. */
const REPORT_TICKS: u64 = 300000000;

/**
 * The end of a program that cannot go on: one line on the console, then the machine is switched
 * off.
 * @panic
 * @noinline
 * @generalRegisters
 */
export function panic(message: string, file: string, line: i32): void {
  const text = zeroed<Line>();
  addText(ref(text), '\npanic: ');
  addText(ref(text), message);
  addText(ref(text), ' at ');
  addText(ref(text), file);
  addNumber(ref(text), ':', u64(line));
  addText(ref(text), '\n');
  stopWith(ref(text));
}

/**
 * Writes the line and switches off: for panics that have no place in the source, such as a CPU's
 * exceptions. Cores often fail together: the first one speaks and ends the machine before the next
 * one's time has come.
 * @generalRegisters
 */
export function stopWith(text: Ptr<Line>): void {
  const left = atomic.sub<u32>(ref(reportsLeft), 1);
  const start = readTicks();
  while (left != 2 && readTicks() - start < REPORT_TICKS) pause();
  if (left == 1 || left == 2) write(ref(text.bytes[0]), text.length);
  powerOff(1);
}

/**
 * What the instruction that a CPU refused says about why. A build that is not checked traps by an
 * instruction that no CPU has.
 * @generalRegisters
 */
export function refusedInstruction(address: u64): string {
  return isTrap(address)
    ? 'trap (division by zero, or a place that cannot be reached)'
    : 'invalid opcode (an instruction that this CPU does not have)';
}
