/** The least that boots by PVH: one character on the serial port. */
entry.pvh(start, 4096);

/** @generalRegisters */
function start(_info: usize): void {
  port.out8(0x3f8, 0x05);
  while (true) cpu.halt();
}
