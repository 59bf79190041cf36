import { addNumber, addText, type Line } from '../line.ts';
import { stopWith } from '../panic.ts';
import { keepPlaces, refuse } from './handover.ts';
import { HIGHER_HALF, IMAGE, IMAGE_END, IMAGE_STORAGE, PAGE, STARTUP_PAGE } from './layout.ts';

/**
 * What a loader that speaks PVH hands over, and whether it is enough: the pack is the first module, and image and pack must lie in RAM
 * without touching each other. Xen, public/arch-x86/hvm/start_info.h.
 */
const MAGIC: u32 = 0x336ec578;
const RAM: u32 = 1;
const MEBIBYTE: u64 = 0x100000;

/**
 * The loader has zeroed the image's storage, but then q35's firmware worked in the last 16 MiB of RAM and a little below,
 * and says so to nobody: storage that reaches there is zeroed again.
 */
const FIRMWARE_TRACES: u64 = 24 * MEBIBYTE;

/** struct hvm_start_info, version 1 */
class StartInfo {
  magic!: u32;
  version!: u32;
  flags!: u32;
  modules!: u32;
  moduleList!: u64;
  commandLine!: u64;
  rsdp!: u64;
  memoryMap!: u64;
  memoryRanges!: u32;
  reserved!: u32;
}

/** struct hvm_modlist_entry */
class Module {
  address!: u64;
  length!: u64;
  commandLine!: u64;
  reserved!: u64;
}

/** struct hvm_memmap_table_entry */
class MemoryRange {
  address!: u64;
  length!: u64;
  type!: u32;
  reserved!: u32;
}

let rsdp: u64 = 0;
let startupPageIsRam: bool = false;

/** Of ACPI's first table; 0 where the loader knows none. */
export function rsdpAddress(): u64 {
  return rsdp;
}

export function isStartupPageRam(): bool {
  return startupPageIsRam;
}

/** Stops with a message if the machine cannot hold the image and its pack. @generalRegisters */
export function readStartInfo(address: usize): void {
  const info = changetype<Ptr<StartInfo>>(address);
  if (info.magic != MAGIC) refuse('the loader handed over no hvm_start_info (PVH)');
  if (info.version < 1 || info.memoryRanges == 0)
    refuse('the loader handed over no memory map (PVH)');
  if (info.modules == 0) refuse('no model pack: hand it over as initrd (QEMU: -initrd model.pack)');
  const module = changetype<Ptr<Module>>(usize(info.moduleList));
  const start = module.address;
  const end = start + module.length;
  const image = u64(IMAGE - HIGHER_HALF);
  const imageEnd = load<u64>(IMAGE_END) - u64(HIGHER_HALF);
  const overlap = start < imageEnd && end > image;
  if (overlap || !isRam(info, image, imageEnd) || !isRam(info, start, end)) {
    refuseMemory(info, imageEnd, module.length);
  }
  const ramEnd = endOfRam(info, image);
  clearStorage(ramEnd - min(ramEnd, FIRMWARE_TRACES));
  keepPlaces(image, start, module.length);
  rsdp = info.rsdp;
  startupPageIsRam = isRam(info, u64(STARTUP_PAGE), u64(STARTUP_PAGE + PAGE));
}

/** Zeroes storage that lies from the address on; before anything is kept there. @generalRegisters */
function clearStorage(from: u64): void {
  const start = max(usize(from) + HIGHER_HALF, load<usize>(IMAGE_STORAGE));
  for (let at = start; at < load<usize>(IMAGE_END); at += 8) volatile.store<u64>(at, 0);
}

/** Whether every byte from start to end is RAM, in one range of the map or several. @generalRegisters */
function isRam(info: Ptr<StartInfo>, start: u64, end: u64): bool {
  let at = start;
  for (let round: u32 = 0; at < end && round < info.memoryRanges; round++) {
    at = endOfRam(info, at);
  }
  return at >= end;
}

/** End of the RAM range that holds the address; the address itself if none does. @generalRegisters */
function endOfRam(info: Ptr<StartInfo>, address: u64): u64 {
  const ranges = changetype<Ptr<MemoryRange>>(usize(info.memoryMap));
  for (let i: u32 = 0; i < info.memoryRanges; i++) {
    const start = ranges[i].address;
    const end = start + ranges[i].length;
    if (ranges[i].type == RAM && address >= start && address < end) return end;
  }
  return address;
}

/** @generalRegisters */
function refuseMemory(info: Ptr<StartInfo>, imageEnd: u64, packLength: u64): void {
  const line = zeroed<Line>();
  addText(ref(line), '\npanic: not enough memory: the image takes ');
  addNumber(ref(line), mebibytes(imageEnd));
  addText(ref(line), ' MiB, the model pack ');
  addNumber(ref(line), mebibytes(packLength));
  addText(ref(line), ' MiB, but RAM ends at ');
  addNumber(ref(line), endOfRam(info, u64(IMAGE - HIGHER_HALF)) / MEBIBYTE);
  addText(ref(line), ' MiB. Give the machine more than ');
  addNumber(ref(line), mebibytes(imageEnd) + mebibytes(packLength));
  addText(ref(line), ' MiB (QEMU: -m)\n');
  stopWith(ref(line));
}

/** Rounded up. @generalRegisters */
function mebibytes(bytes: u64): u64 {
  return (bytes + MEBIBYTE - 1) / MEBIBYTE;
}
