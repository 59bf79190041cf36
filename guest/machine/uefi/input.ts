import { pause } from 'arch/cpu';
import { rest } from 'arch/firmwareState';
import { poll as pollUart } from '../../device/uart16550.ts';
import { now } from '../clock.ts';
import { pollKeyboard } from './keyboard.ts';

/** The console's input: the serial port's, and the keyboards'. */

/**
 * After a byte the next one is mostly on its way: QEMU brings 14 at a time and then takes half a
 * millisecond.
 */
const PATIENCE_NANOS: u64 = 2000000;

/** One byte; waits for it. */
export function read(): i32 {
  const start = now();
  while (true) {
    const byte = pollUart();
    if (byte >= 0) return byte;
    if (now() - start < PATIENCE_NANOS) {
      pause();
    } else {
      const key = pollKeyboard();
      if (key >= 0) return key;
      rest();
    }
  }
}

export function poll(): i32 {
  const byte = pollUart();
  return byte >= 0 ? byte : pollKeyboard();
}
