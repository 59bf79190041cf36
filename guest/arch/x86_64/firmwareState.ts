import { cli, hlt, lidt, sidt, sti, type TableRegister } from './instructions.ts';
import { tablesInUse, useTables } from './paging.ts';

/**
 * What a machine with firmware and the firmware share of a core, and take turns with: interrupts,
 * exceptions, page tables. Within a call of firmware everything but exceptions is as it left it, so
 * that its timer, and the keyboards that this one looks after, work on.
 */

/** Page tables; zero: firmware's. */
let ownTables: u64 = 0;
let firmwareTables: u64 = 0;
let hasGates: bool = false;
const ownGates = zeroed<TableRegister>();
const firmwareGates = zeroed<TableRegister>();

/**
 * Gates of a call: firmware's interrupts, our exceptions. Firmware's own way with an exception is
 * to stand still.
 * @align 16
 */
const callGates = zeroed<FixedArray<u8, 4096>>();
const EXCEPTION_BYTES: usize = 512;

/** At entry. @generalRegisters */
export function keepFirmwareState(): void {
  sidt(ref(firmwareGates));
}

/** From now on the first core has the exceptions that are in use now. */
export function keepExceptions(): void {
  sidt(ref(ownGates));
  const gates = ref(callGates[0]);
  memory.copy(gates, firmwareGates.base, min(usize(firmwareGates.limit) + 1, 4096));
  memory.copy(gates, ownGates.base, EXCEPTION_BYTES);
  firmwareGates.base = changetype<usize>(gates);
  hasGates = true;
}

/** From now on the first core has these page tables between calls. */
export function keepTables(tables: u64): void {
  firmwareTables = tablesInUse();
  ownTables = tables;
  useTables(tables);
}

/** Page tables for the other cores; zero: firmware's. */
export function sharedTables(): u64 {
  return ownTables;
}

/** Before a call. @generalRegisters */
export function enterFirmware(): void {
  if (ownTables != 0) useTables(firmwareTables);
  if (hasGates) lidt(ref(firmwareGates));
  sti();
}

/** After it. @generalRegisters */
export function leaveFirmware(): void {
  cli();
  if (hasGates) lidt(ref(ownGates));
  if (ownTables != 0) useTables(ownTables);
}

/** Sleeps until firmware's timer, or anything else, interrupts. */
export function rest(): void {
  enterFirmware();
  hlt();
  leaveFirmware();
}
