import { readCr4 } from './instructions.ts';

/**
 * Page tables: Intel SDM vol. 3, 4.5. Four levels of 512 entries each, which stand for 512 GiB, 1
 * GiB, 2 MiB and 4 KiB; an entry of the middle two leads to a table or is a large page itself.
 *
 * | bit | of an entry                    |
 * |-----|--------------------------------|
 * | 0   | present                        |
 * | 1   | can be written                 |
 * | 3-4 | uncached                       |
 * | 7   | is a large page (not a table)  |
 * | 12  | … 51 the address               |
 * | 63  | cannot be executed             |
 */
const PRESENT: u64 = 1;
const WRITABLE: u64 = 2;
const NO_EXECUTE: u64 = 1 << 63;

export const UNCACHED: u64 = 0x18;
export const LARGE: u64 = 0x80;
export const ADDRESS: u64 = 0x000ffffffffff000;

/** A page's rights: one of these is part of its entry, and each can be read but the first. */
export const NOT_THERE: u64 = 0;
export const READ_ONLY: u64 = PRESENT | NO_EXECUTE;
export const EXECUTABLE: u64 = PRESENT;
export const WRITABLE_DATA: u64 = PRESENT | WRITABLE | NO_EXECUTE;
/** All bits of them. */
export const RIGHTS: u64 = PRESENT | WRITABLE | NO_EXECUTE;
/** Of an entry that leads to a table: pages have their own rights. */
export const TABLE: u64 = PRESENT | WRITABLE;

export const ENTRIES: usize = 512;
export const PAGE: usize = 0x1000;
export const LARGE_PAGE: usize = 0x200000;
export const HUGE_PAGE: usize = 1 << 30;

/** CR4.LA57: tables of five levels. */
const FIVE_LEVELS: u64 = 1 << 12;

/** tables: where they lie in RAM. For the calling core. @inline */
export function useTables(tables: u64): void {
  asm('mov {tables}, %cr3', { in: { tables } });
}

/** @inline */
export function tablesInUse(): u64 {
  let tables: u64 = 0;
  asm('mov %cr3, {tables}', { out: { tables }, memory: false });
  return tables;
}

export function haveFourLevels(): bool {
  return (readCr4() & FIVE_LEVELS) == 0;
}
