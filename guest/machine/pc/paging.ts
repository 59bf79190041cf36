import { LOCAL_APIC } from 'arch/layout';
import {
  ENTRIES,
  EXECUTABLE,
  HUGE_PAGE,
  LARGE,
  NOT_THERE,
  READ_ONLY,
  TABLE,
  tablesInUse,
  UNCACHED,
  useTables,
  WRITABLE_DATA,
} from 'arch/paging';
import { CORE_STACK_BYTES, MOST_CORES } from '../limits.ts';
import { isWithin, overlap } from '../ranges.ts';
import { imageAddress, packLength, packStart } from './handover.ts';
import {
  HIGHER_HALF,
  IMAGE,
  IMAGE_CODE_END,
  IMAGE_CONSTANTS_END,
  IMAGE_END,
  IMAGE_STACK_GUARD,
  LARGE_PAGE,
  MAPPED,
  PAGE,
} from './layout.ts';

/**
 * Page tables: the first 4 GiB one to one, the pack above them if it lies there, and the image at
 * the top; each page with no more rights than it needs. Code can be executed, the image's data and
 * storage can be written, all else can be read: loader's tables, constants, the pack. Address zero
 * is not there at all, nor is a page below each stack.
 *
 *   top ─▶ upper ─▶ directories[4] ─▶ 2 MiB pages
 *            │             └─▶ lowPages    4 KiB pages of 0 … 2 MiB
 *            ├─▶ 1 GiB pages of the pack
 *            └─▶ imageDirectories[2] ─▶ 2 MiB pages
 *                          └─▶ imagePages  4 KiB pages of the image's first 2 MiB (link.ld)
 */
/** @align 4096 */
const top = zeroed<FixedArray<u64, 512>>();
/** @align 4096 */
const upper = zeroed<FixedArray<u64, 512>>();
/** @align 4096 */
const directories = zeroed<FixedArray<u64, 2048>>();
/** @align 4096 */
const imageDirectories = zeroed<FixedArray<u64, 1024>>();
/** @align 4096 */
const lowPages = zeroed<FixedArray<u64, 512>>();
/** @align 4096 */
const imagePages = zeroed<FixedArray<u64, 512>>();

/** The tables that we were entered with: the entry stub's or Limine's. */
let entryTables: u64 = 0;

/** Replaces them, for the first core. */
export function protectMemory(): void {
  for (let page: usize = 0; page < 4 * ENTRIES; page++) {
    directories[page] = u64(page * LARGE_PAGE) | READ_ONLY | LARGE;
  }
  directories[LOCAL_APIC / LARGE_PAGE] |= WRITABLE_DATA | UNCACHED;
  for (let page: usize = 1; page < ENTRIES; page++) {
    lowPages[page] = u64(page * PAGE) | READ_ONLY;
  }
  directories[0] = tableEntry(ref(lowPages[0]));
  mapImage();
  for (let i: usize = 0; i < 4; i++) upper[i] = tableEntry(ref(directories[i * ENTRIES]));
  mapPack();
  top[0] = tableEntry(ref(upper[0]));
  // Both ends of the address space: entries that one of them uses are nothing at the other.
  top[ENTRIES - 1] = top[0];
  entryTables = tablesInUse();
  useProtection();
}

/** For each core. @generalRegisters */
export function useProtection(): void {
  useTables(physical(changetype<usize>(ref(top[0]))));
}

/** In them everything can be executed and written; until useProtection(). */
export function useEntryTables(): void {
  useTables(entryTables);
}

function mapImage(): void {
  for (let page: usize = 0; page < ENTRIES; page++) {
    const address = IMAGE + page * PAGE;
    imagePages[page] = physical(address) | rights(address);
  }
  for (let page: usize = 0; page < 2 * ENTRIES; page++) {
    const address = HIGHER_HALF + page * LARGE_PAGE;
    imageDirectories[page] = physical(address) | rights(address) | LARGE;
  }
  imageDirectories[(IMAGE - HIGHER_HALF) / LARGE_PAGE] = tableEntry(ref(imagePages[0]));
  upper[ENTRIES - 2] = tableEntry(ref(imageDirectories[0]));
  upper[ENTRIES - 1] = tableEntry(ref(imageDirectories[ENTRIES]));
}

/** What of the pack lies above 4 GiB. */
function mapPack(): void {
  const start = changetype<usize>(packStart()) / HUGE_PAGE;
  const end = changetype<usize>(packStart()) + packLength();
  for (let i = max(start, 4); i * HUGE_PAGE < end; i++) {
    upper[i] = u64(i * HUGE_PAGE) | READ_ONLY | LARGE;
  }
}

/**
 * Whether firmware's tables can be read there: anywhere but at address zero, in the image, and
 * above 4 GiB.
 */
export function isMapped(address: u64, length: u64): bool {
  if (address < u64(PAGE) || !isWithin(address, length, MAPPED)) return false;
  return !overlap(address, length, imageAddress(), load<u64>(IMAGE_END) - u64(IMAGE));
}

/**
 * Rights of the page that begins at the address; none outside of the image, whose last page is
 * writable to its end.
 */
function rights(address: usize): u64 {
  if (address < IMAGE || address >= load<usize>(IMAGE_END)) return NOT_THERE;
  if (address < usize(load<u64>(IMAGE_CODE_END))) return EXECUTABLE;
  if (address < usize(load<u64>(IMAGE_CONSTANTS_END))) return READ_ONLY;
  return isGuard(address) ? NOT_THERE : WRITABLE_DATA;
}

/** The first page of each stack: layout.ts. */
function isGuard(address: usize): bool {
  const first = usize(load<u64>(IMAGE_STACK_GUARD));
  const last = first + usize(MOST_CORES - 1) * CORE_STACK_BYTES;
  return address >= first && address <= last && (address - first) % CORE_STACK_BYTES == 0;
}

function tableEntry(table: Ptr<u64>): u64 {
  return physical(changetype<usize>(table)) | TABLE;
}

/** Where the byte of the image with this address lies in RAM. @generalRegisters */
function physical(address: usize): u64 {
  return u64(address - IMAGE) + imageAddress();
}
