import { powerOff, write } from 'machine';
import { addNumber, addText, type Line } from './line.ts';

/** Panics under way: one that happens while another is reported is reported too, a third is not. */
let panics: u32 = 0;

/**
 * The end of a program that cannot go on: one line on the console, then the machine is switched off.
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
  addText(ref(text), ':');
  addNumber(ref(text), u64(line));
  addText(ref(text), '\n');
  stopWith(ref(text));
}

/**
 * Writes the line and switches off: for panics that have no place in the source, such as a CPU's exceptions.
 * @generalRegisters
 */
export function stopWith(text: Ptr<Line>): void {
  panics += 1;
  if (panics <= 2) write(ref(text.bytes[0]), text.length);
  powerOff(1);
}
