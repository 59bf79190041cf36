import { idle } from './idle.ts';
import { isThere, poll } from './uart.ts';

/** Looks at the UART before the CPU sleeps: some 0.2 ms, in which the next byte of a request arrives. */
const LOOKS: i32 = 200;

/** One byte; -1 if there is no UART that could ever bring one. */
export function read(): i32 {
  if (!isThere()) return -1;
  let looks: i32 = 0;
  while (true) {
    const byte = poll();
    if (byte >= 0) return byte;
    if (looks < LOOKS) {
      looks++;
      cpu.pause();
    } else {
      idle();
    }
  }
}
