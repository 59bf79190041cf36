import { addNumber, addText, type Line } from '../line.ts';
import { stopWith } from '../panic.ts';
import { isWithin, piecesOf } from '../ranges.ts';
import { keepPlaces, refuse } from './handover.ts';
import {
  HIGHER_HALF,
  IMAGE,
  IMAGE_END,
  IMAGE_STORAGE,
  MAPPED,
  PAGE,
  STARTUP_PAGE,
} from './layout.ts';
import { fits, isRam, type MemoryRange, ramFrom } from './memoryMap.ts';

/**
 * What a loader that speaks PVH hands over, and whether it is enough: the pack is the first module,
 * and image and pack must lie in RAM without touching each other. Xen,
 * public/arch-x86/hvm/start_info.h.
 */
const MAGIC: u32 = 0x336ec578;
const MEBIBYTE: u64 = 0x100000;

/**
 * The loader has zeroed the image's storage, but then q35's firmware worked in the last 16 MiB of
 * RAM and a little below, and says so to nobody: storage that reaches there is zeroed again.
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
  if (!isWithin(u64(address), u64(sizeof<StartInfo>()), MAPPED)) refuseTables();
  if (info.magic != MAGIC) refuse('the loader handed over no hvm_start_info (PVH)');
  if (info.version < 1 || info.memoryRanges == 0)
    refuse('the loader handed over no memory map (PVH)');
  if (info.modules == 0) refuse('no model pack: hand it over as initrd (QEMU: -initrd model.pack)');
  const count = info.memoryRanges;
  const mapBytes = u64(count) * u64(sizeof<MemoryRange>());
  if (!isWithin(info.moduleList, u64(sizeof<Module>()), MAPPED)) refuseTables();
  if (!isWithin(info.memoryMap, mapBytes, MAPPED)) refuseTables();
  const module = changetype<Ptr<Module>>(usize(info.moduleList));
  const ranges = changetype<Ptr<MemoryRange>>(usize(info.memoryMap));
  const image = u64(IMAGE - HIGHER_HALF);
  const imageBytes = load<u64>(IMAGE_END) - u64(IMAGE);
  const ramEnd = image + ramFrom(ranges, count, image);
  if (!fits(ranges, count, image, imageBytes, module.address, module.length)) {
    refuseMemory(image + imageBytes, module.length, ramEnd);
  }
  clearStorage(ramEnd - min(ramEnd, FIRMWARE_TRACES));
  keepPlaces(image, module.address, module.length);
  rsdp = info.rsdp;
  startupPageIsRam = isRam(ranges, count, u64(STARTUP_PAGE), u64(PAGE));
}

/** @generalRegisters */
function refuseTables(): void {
  refuse('the loader handed over tables that lie above 4 GiB (PVH)');
}

/**
 * Zeroes storage that lies from the address in RAM on; before anything is kept there.
 * @generalRegisters
 */
function clearStorage(from: u64): void {
  const start = max(usize(from), load<usize>(IMAGE_STORAGE) - HIGHER_HALF);
  const end = load<usize>(IMAGE_END) - HIGHER_HALF;
  for (let at = start; at < end; at += 8) volatile.store<u64>(at + HIGHER_HALF, 0);
}

/** @generalRegisters */
function refuseMemory(imageEnd: u64, packLength: u64, ramEnd: u64): void {
  const imageMebibytes = piecesOf(imageEnd, MEBIBYTE);
  const packMebibytes = piecesOf(packLength, MEBIBYTE);
  const line = zeroed<Line>();
  addNumber(ref(line), '\npanic: not enough memory: the image takes ', imageMebibytes);
  addNumber(ref(line), ' MiB, the model pack ', packMebibytes);
  addNumber(ref(line), ' MiB, but RAM ends at ', ramEnd / MEBIBYTE);
  addNumber(ref(line), ' MiB. Give the machine more than ', imageMebibytes + packMebibytes);
  addText(ref(line), ' MiB (QEMU: -m)\n');
  stopWith(ref(line));
}
