/**
 * Which processors there are, from the tables that firmware leaves in memory: ACPI's MADT, else
 * Intel's MP table. Nothing in them is believed unread: every length is held against what can be
 * read, every sum checked; a table that is wrong names nobody.
 *
 *   RSDP ─▶ XSDT (or RSDT) ─▶ MADT "APIC"        ACPI 6.5, 5.2.5 … 5.2.12
 *   "_MP_" ─▶ "PCMP"                              MultiProcessor Specification 1.4, chapter 4
 */
const RSDP_SIGNATURE: u64 = 0x2052545020445352; // "RSD PTR "
const RSDP_BYTES: u64 = 20;
const RSDP_BYTES_2: u64 = 36;
const XSDT_SIGNATURE: u32 = 0x54445358;
const RSDT_SIGNATURE: u32 = 0x54445352;
const MADT_SIGNATURE: u32 = 0x43495041; // "APIC"
const HEADER_BYTES: u64 = 36;
/** Where the MADT's entries begin: type u8, length u8, … */
const MADT_ENTRIES: u64 = 44;
/** Entry of type 0: processor u8, local APIC's identity u8, flags u32: bit 0 enabled. */
const MADT_PROCESSOR: u8 = 0;
const MADT_PROCESSOR_BYTES: u64 = 8;

const MP_POINTER_SIGNATURE: u32 = 0x5f504d5f; // "_MP_"
const MP_POINTER_BYTES: u64 = 16;
const MP_SIGNATURE: u32 = 0x504d4350; // "PCMP"
const MP_HEADER_BYTES: u64 = 44;
/**
 * Entry of type 0: local APIC's identity u8, version u8, flags u8: bit 0 enabled. All other entries
 * have 8 bytes. Their number stands in the header too, but QEMU's qboot leaves that zero.
 */
const MP_PROCESSOR: u8 = 0;
const MP_PROCESSOR_BYTES: u64 = 20;
const MP_OTHER_BYTES: u64 = 8;

/** No table is longer. */
const LONGEST: u64 = 0x100000;

/** Identities of local APICs. */
export class Processors {
  count!: i32;
  identities!: FixedArray<u8, 256>;
}

/** Whether memory is there, from address on. */
type CanRead = (address: u64, length: u64) => bool;

/** rsdp: its address, 0 if the loader knows none. */
export function listAcpi(out: Ptr<Processors>, rsdp: u64, canRead: CanRead): void {
  out.count = 0;
  if (rsdp == 0 || !isWhole(rsdp, RSDP_BYTES, canRead)) return;
  if (load<u64>(usize(rsdp)) != RSDP_SIGNATURE) return;
  const isNew = load<u8>(usize(rsdp), 15) >= 2 && isWhole(rsdp, RSDP_BYTES_2, canRead);
  const list = isNew ? load<u64>(usize(rsdp), 24) : u64(load<u32>(usize(rsdp), 16));
  const length = tableLength(list, isNew ? XSDT_SIGNATURE : RSDT_SIGNATURE, canRead);
  const step: u64 = isNew ? 8 : 4;
  for (let at = HEADER_BYTES; at + step <= length; at += step) {
    const entry = usize(list + at);
    const table = isNew ? load<u64>(entry) : u64(load<u32>(entry));
    const bytes = tableLength(table, MADT_SIGNATURE, canRead);
    if (bytes >= MADT_ENTRIES) {
      readMadt(out, table, bytes);
      return;
    }
  }
}

/** Length of an ACPI table; 0 if none of this name is there, or its sum is wrong. */
function tableLength(table: u64, signature: u32, canRead: CanRead): u64 {
  if (!canRead(table, HEADER_BYTES) || load<u32>(usize(table)) != signature) return 0;
  const length = u64(load<u32>(usize(table), 4));
  return length >= HEADER_BYTES && isWhole(table, length, canRead) ? length : 0;
}

function readMadt(out: Ptr<Processors>, table: u64, length: u64): void {
  let at = MADT_ENTRIES;
  while (at + 2 <= length) {
    const entry = usize(table + at);
    const bytes = u64(load<u8>(entry, 1));
    if (bytes < 2 || at + bytes > length) {
      out.count = 0;
      return;
    }
    if (load<u8>(entry) == MADT_PROCESSOR && bytes >= MADT_PROCESSOR_BYTES) {
      if ((load<u32>(entry, 4) & 1) != 0) add(out, load<u8>(entry, 3));
    }
    at += bytes;
  }
}

/** Looks for the pointer "_MP_" from `start` to `end`, on 16 bytes' boundaries. */
export function listMp(out: Ptr<Processors>, start: u64, end: u64, canRead: CanRead): void {
  out.count = 0;
  for (let at = start; at + MP_POINTER_BYTES <= end && out.count == 0; at += MP_POINTER_BYTES) {
    const isPointer =
      load<u32>(usize(at)) == MP_POINTER_SIGNATURE && isWhole(at, MP_POINTER_BYTES, canRead);
    if (isPointer) readMp(out, u64(load<u32>(usize(at), 4)), canRead);
  }
}

function readMp(out: Ptr<Processors>, table: u64, canRead: CanRead): void {
  if (!canRead(table, MP_HEADER_BYTES) || load<u32>(usize(table)) != MP_SIGNATURE) return;
  const length = u64(load<u16>(usize(table), 4));
  if (length < MP_HEADER_BYTES || !isWhole(table, length, canRead)) return;
  let at = MP_HEADER_BYTES;
  while (at < length) {
    const entry = usize(table + at);
    const isProcessor = load<u8>(entry) == MP_PROCESSOR;
    at += isProcessor ? MP_PROCESSOR_BYTES : MP_OTHER_BYTES;
    if (at > length) {
      out.count = 0;
      return;
    }
    if (isProcessor && (load<u8>(entry, 3) & 1) != 0) add(out, load<u8>(entry, 1));
  }
}

function add(out: Ptr<Processors>, identity: u8): void {
  if (out.count == 256) return;
  out.identities[out.count] = identity;
  out.count += 1;
}

/** Whether all of it can be read and its bytes add up to zero, as in all these tables. */
function isWhole(address: u64, length: u64, canRead: CanRead): bool {
  if (length > LONGEST || !canRead(address, length)) return false;
  let sum: u8 = 0;
  for (let i: u64 = 0; i < length; i++) sum += load<u8>(usize(address + i));
  return sum == 0;
}
