/**
 * Every address, port and selector of the PC that this folder relies on.
 *
 *   0 … 4 KiB            never mapped: a null pointer faults
 *   4 KiB … 2 MiB        tables of loader and firmware, read-only; at 32 KiB other cores begin
 *   2 MiB                PVH: the image's bytes, unused here. Limine: any multiple of 2 MiB
 *   … top of low RAM     the pack, where the loader put it, read-only
 *   … 4 GiB              devices
 *   … 510 GiB            the pack, where Limine finds more room
 *   top 2 GiB            from 2 MiB on the image: header, code, constants, data, storage (link.ld)
 */
/** What the page tables of the entry stub and of paging.ts reach, but for the pack. */
export const MAPPED: u64 = 0x100000000;
/** No pack ends above: in the tables the image follows. */
export const PACK_LIMIT: u64 = 510 << 30;

export { HIGHER_HALF } from 'arch/layout';
export { LARGE_PAGE, PAGE } from 'arch/paging';

/**
 * link.ld writes five addresses here: the ends of code and of constants, the page below the stacks,
 * storage and its end.
 */
export const IMAGE: usize = 0xffffffff80200000;
export const IMAGE_CODE_END: usize = 0xffffffff80200200;
export const IMAGE_CONSTANTS_END: usize = 0xffffffff80200208;
/**
 * The stacks lie in one piece from here on: CORE_STACK_BYTES for each core but the first, then the
 * first one's.
 */
export const IMAGE_STACK_GUARD: usize = 0xffffffff80200210;
export const IMAGE_STORAGE: usize = 0xffffffff80200218;
export const IMAGE_END: usize = 0xffffffff80200220;

/**
 * Where the other cores begin, in real mode: below 1 MiB, RAM, and not in use any more when the
 * image runs. QEMU's firmware keeps its own above 640 KiB, Firecracker's loader has its tables from
 * 24 to 32 KiB and at 639 KiB.
 */
export const STARTUP_PAGE: usize = 0x8000;

/** Where an MP table's pointer is looked for: the last KiB of base memory, and firmware's area. */
export const EXTENDED_BIOS_DATA: u64 = 0x9fc00;
export const BASE_MEMORY_END: u64 = 0xa0000;
export const FIRMWARE_START: u64 = 0xe0000;
export const FIRMWARE_END: u64 = 0x100000;

/** I/O ports. */
export const PIT: u16 = 0x40;
export const PIC_MASK_1: u16 = 0x21;
export const PIC_MASK_2: u16 = 0xa1;
export const KEYBOARD_CONTROLLER: u16 = 0x64;
/** ACPI PM1a control block of QEMU's pc and q35, as their firmware sets it up. */
export const PM1A_CONTROL: u16 = 0x604;
/** ACPI sleep control register of Cloud Hypervisor. */
export const SLEEP_CONTROL: u16 = 0x600;
