import { pause } from 'arch/cpu';
import { idle } from 'arch/idle';
import { isThere, poll } from '../../device/uart16550.ts';

/** Looks at the UART before the CPU sleeps: the next byte is often already on its way. */
const LOOKS: u32 = 20;

/** One byte; -1 if there is no UART that could ever bring one. */
export function read(): i32 {
  if (!isThere()) return -1;
  let looks: u32 = 0;
  while (true) {
    const byte = poll();
    if (byte >= 0) return byte;
    if (looks < LOOKS) pause();
    else idle(looks - LOOKS);
    looks++;
  }
}
