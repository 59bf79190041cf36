import 'arch/pvhEntry';
import { hlt } from 'arch/instructions';
import { ioWrite8 } from 'arch/io';

/** The least that boots by PVH: one character on the serial port. */

/** @align 64 @section .bss.stack */
const stack = zeroed<FixedArray<u8, 4096>>();

/** @symbol start @generalRegisters */
function start(_info: usize): void {
  ioWrite8(0x3f8, 0x05);
  while (true) hlt();
}
