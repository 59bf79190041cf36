import { listAcpi, listMp, type Processors } from '../../../guest/machine/pc/processors.ts';

/**
 * Firmware's tables as the test lays them out in WebAssembly's second MiB:
 * tests/boot/processors.test.ts.
 */
const START: u64 = 0x100000;
const END: u64 = 0x200000;

const found = zeroed<Processors>();

function canRead(address: u64, length: u64): bool {
  return address >= START && length <= END - START && address <= END - length;
}

/** Number of processors. */
export function acpi(rsdp: u32): i32 {
  listAcpi(ref(found), u64(rsdp), canRead);
  return found.count;
}

/** The same by the MP table whose pointer lies from `start` on, to the end. */
export function mp(start: u32): i32 {
  listMp(ref(found), u64(start), END, canRead);
  return found.count;
}

export function identity(index: i32): i32 {
  return i32(found.identities[index]);
}
