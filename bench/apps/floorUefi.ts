import 'arch/efiEntry';
import { hlt } from 'arch/instructions';
import { ioWrite8 } from 'arch/io';

/** The least that UEFI starts: one character on the serial port, past firmware's terminal. */

/** @symbol start @generalRegisters */
function start(_image: usize, _table: usize): void {
  ioWrite8(0x3f8, 0x05);
  while (true) hlt();
}
