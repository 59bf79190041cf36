import { pause } from 'arch/cpu';
import { idle } from 'arch/idle';
import { isThere, poll } from '../../device/uart16550.ts';

/** Reads of the UART's state before the CPU sleeps: the next byte is often already on its way. */
const SPINS: u32 = 20;

/** One byte; -1 if there is no UART that could ever bring one. */
export function read(): i32 {
  if (!isThere()) return -1;
  let spins: u32 = 0;
  while (true) {
    const byte = poll();
    if (byte >= 0) return byte;
    if (spins < SPINS) pause();
    else idle(spins - SPINS);
    spins++;
  }
}
