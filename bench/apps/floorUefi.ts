/** The least that UEFI starts: one character on the serial port, past firmware's terminal. */
entry.efi(start);

/** @generalRegisters */
function start(_image: usize, _table: usize): void {
  port.out8(0x3f8, 0x05);
  while (true) cpu.halt();
}
