import { CORE_STACK_BYTES, LOCAL_APIC, MOST_CORES } from '../x86/layout.ts';
import {
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
 * Page tables: the first 4 GiB one to one, and each page with no more rights than it needs. Code can be executed, the
 * image's data and storage can be written, all else can be read: loader's tables, constants, the pack. Address zero
 * is not there at all, nor is a page below each stack.
 *
 * Entries, Intel SDM vol. 3, 4.5: bit 0 present, 1 writable, 3-4 uncached, 7 large page (2 MiB), 63 no execute.
 *
 *   top ─▶ upper ─▶ directories[4] ─▶ 2 MiB pages
 *                          ├─▶ lowPages    4 KiB pages of 0 … 2 MiB
 *                          └─▶ imagePages  4 KiB pages of the image's first 2 MiB: code and constants end there (link.ld)
 */
const PRESENT: u64 = 1;
const WRITABLE: u64 = 2;
const UNCACHED: u64 = 0x18;
const LARGE: u64 = 0x80;
const NO_EXECUTE: u64 = 1 << 63;

const ENTRIES: usize = 512;

/** @align 4096 */
const top = zeroed<FixedArray<u64, 512>>();
/** @align 4096 */
const upper = zeroed<FixedArray<u64, 512>>();
/** @align 4096 */
const directories = zeroed<FixedArray<u64, 2048>>();
/** @align 4096 */
const lowPages = zeroed<FixedArray<u64, 512>>();
/** @align 4096 */
const imagePages = zeroed<FixedArray<u64, 512>>();

/** Replaces the entry stub's tables, in which everything is allowed. */
export function protectMemory(): void {
  for (let page: usize = 0; page < ENTRIES; page++) {
    lowPages[page] = page == 0 ? 0 : u64(page * PAGE) | PRESENT | NO_EXECUTE;
    const address = IMAGE + page * PAGE;
    imagePages[page] = u64(address) | rights(address);
  }
  for (let page: usize = 0; page < 4 * ENTRIES; page++) {
    const address = page * LARGE_PAGE;
    directories[page] = u64(address) | rights(address) | LARGE;
  }
  directories[LOCAL_APIC / LARGE_PAGE] |= WRITABLE | UNCACHED;
  directories[0] = tableEntry(ref(lowPages[0]));
  directories[IMAGE / LARGE_PAGE] = tableEntry(ref(imagePages[0]));
  for (let i: usize = 0; i < 4; i++) upper[i] = tableEntry(ref(directories[i * ENTRIES]));
  top[0] = tableEntry(ref(upper[0]));
  cpu.writeCr3(u64(changetype<usize>(ref(top[0]))));
}

/** Whether firmware's tables can be read there: anywhere but at address zero, in the image, and above 4 GiB. */
export function isMapped(address: u64, length: u64): bool {
  const end = address + length;
  if (address < u64(PAGE) || end < address || end > MAPPED) return false;
  return end <= u64(IMAGE) || address >= load<u64>(IMAGE_END);
}

/** Rights of the page that begins at the address. The image's last page is writable to its end. */
function rights(address: usize): u64 {
  if (address < IMAGE || address >= usize(load<u64>(IMAGE_END))) return PRESENT | NO_EXECUTE;
  if (address < usize(load<u64>(IMAGE_CODE_END))) return PRESENT;
  if (address < usize(load<u64>(IMAGE_CONSTANTS_END))) return PRESENT | NO_EXECUTE;
  return isGuard(address) ? 0 : PRESENT | WRITABLE | NO_EXECUTE;
}

/** The first page of each stack: layout.ts. */
function isGuard(address: usize): bool {
  const first = usize(load<u64>(IMAGE_STACK_GUARD));
  const last = first + usize(MOST_CORES - 1) * CORE_STACK_BYTES;
  return address >= first && address <= last && (address - first) % CORE_STACK_BYTES == 0;
}

function tableEntry(table: Ptr<u64>): u64 {
  return u64(changetype<usize>(table)) | PRESENT | WRITABLE;
}
