import { enterFirmware, keepFirmwareState, leaveFirmware } from 'arch/firmwareState';
import {
  BY_PROTOCOL,
  EXCLUSIVE,
  LOADED_IMAGE,
  type LoadedImage,
  type RuntimeServices,
  SERIAL_IO,
  type SystemTable,
} from './protocols.ts';

/**
 * Firmware, as a library that only the first core may call. Between its calls the first core is as
 * alone as on a machine without firmware: interrupts off, page tables and exceptions our own
 * (arch/firmwareState).
 */

let table: Ptr<SystemTable> = null;
let image: usize = 0;

/** What firmware gave the entry point. @generalRegisters */
export function useFirmware(handle: usize, address: usize): void {
  image = handle;
  table = changetype<Ptr<SystemTable>>(address);
  keepFirmwareState();
}

/** The table itself may be read at any time. @generalRegisters */
export function systemTable(): Ptr<SystemTable> {
  return table;
}

/** Address of a handle's interface of this kind, 0 if it has none. @generalRegisters */
export function protocolOf(handle: usize, protocol: Ptr<u64>): usize {
  let found: usize = 0;
  enterFirmware();
  const status = table.boot.handleProtocol(handle, protocol, ref(found));
  leaveFirmware();
  return status == 0 ? found : 0;
}

/** Address of anybody's interface of this kind, 0 if there is none. @generalRegisters */
export function anyProtocol(protocol: Ptr<u64>): usize {
  let found: usize = 0;
  enterFirmware();
  const status = table.boot.locateProtocol(protocol, 0, ref(found));
  leaveFirmware();
  return status == 0 ? found : 0;
}

export function loadedImage(): Ptr<LoadedImage> {
  return changetype<Ptr<LoadedImage>>(protocolOf(image, ref(LOADED_IMAGE[0])));
}

/**
 * Firmware resets a machine whose application has not ended after five minutes.
 * @generalRegisters
 */
export function stopWatchdog(): void {
  enterFirmware();
  table.boot.setWatchdog(0, 0, 0, null);
  leaveFirmware();
}

/**
 * Takes all serial ports away from the terminals that firmware keeps on them: what it writes on its
 * console goes to screens only, and what comes in by a port is ours. @generalRegisters
 */
export function takeSerialPorts(): void {
  let count: usize = 0;
  let ports: Ptr<usize> = null;
  const protocol = ref(SERIAL_IO[0]);
  enterFirmware();
  if (table.boot.locateHandles(BY_PROTOCOL, protocol, 0, ref(count), ref(ports)) == 0) {
    for (let i: usize = 0; i < count; i++) {
      let found: usize = 0;
      table.boot.openProtocol(ports[i], protocol, ref(found), image, 0, EXCLUSIVE);
    }
  }
  leaveFirmware();
}

/** At least so long. @generalRegisters */
export function stall(microseconds: usize): void {
  enterFirmware();
  table.boot.stall(microseconds);
  leaveFirmware();
}

/** @generalRegisters */
export function runtimeServices(): Ptr<RuntimeServices> {
  return table.runtime;
}
