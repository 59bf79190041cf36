import { pause, readTicks } from 'arch/cpu';
import { int3, lidt, type TableRegister } from 'arch/instructions';
import { ioWrite8, ioWrite16 } from 'arch/io';
import { DEBUG_EXIT } from 'arch/layout';
import { drain } from '../../device/uart16550.ts';
import { KEYBOARD_CONTROLLER, PM1A_CONTROL, SLEEP_CONTROL } from './layout.ts';

/**
 * Ticks of the TSC that a way of switching off gets before the next one is tried: a few
 * milliseconds.
 */
const PATIENCE: u64 = 5000000;

/** Sleep type of S5 is 0 on QEMU's pc and q35; bit 13 is SLP_EN (ACPI 6.5, 4.8.3.2.1). */
const SOFT_OFF: u16 = 0x2000;

/**
 * Sleep type 5, SLP_EN (4.8.3.7). On the machines above the port holds status bits that a written
 * one clears.
 */
const SLEEP_S5: u8 = 0x34;

/** The keyboard controller's command "pulse the CPU's reset line". Firecracker ends on it. */
const PULSE_RESET: u8 = 0xfe;

/** A table of interrupts without any. */
const noInterrupts = zeroed<TableRegister>();

/**
 * Switches off; never returns. Only QEMU can be handed a code: elsewhere what went wrong stands on
 * the console. In this order: ACPI soft-off by either kind of register, the keyboard controller's
 * reset, and an exception that cannot be delivered (triple fault), which resets any PC. QEMU ends
 * on each of them (the resets: with -no-reboot), with exit code 0.
 * @generalRegisters
 */
export function powerOff(code: i32): void {
  drain();
  if (code != 0) ioWrite8(DEBUG_EXIT, u8(code & 0x7f));
  ioWrite16(PM1A_CONTROL, SOFT_OFF);
  ioWrite8(SLEEP_CONTROL, SLEEP_S5);
  wait();
  ioWrite8(KEYBOARD_CONTROLLER, PULSE_RESET);
  wait();
  lidt(ref(noInterrupts));
  int3();
}

/** @generalRegisters */
function wait(): void {
  const start = readTicks();
  while (readTicks() - start < PATIENCE) pause();
}
