import { isWithin, overlap } from '../ranges.ts';

/**
 * What RAM there is, as a loader tells it: struct hvm_memmap_table_entry (Xen,
 * public/arch-x86/hvm/start_info.h).
 */
export class MemoryRange {
  address!: u64;
  length!: u64;
  type!: u32;
  reserved!: u32;
}
const RAM: u32 = 1;

/**
 * Bytes of RAM from the address on, in the range of the map that holds it; 0 if none does. The
 * address plus them does not wrap.
 * @generalRegisters
 */
export function ramFrom(ranges: Ptr<MemoryRange>, count: u32, address: u64): u64 {
  for (let i: u32 = 0; i < count; i++) {
    const start = ranges[i].address;
    const length = ranges[i].length;
    if (ranges[i].type == RAM && address >= start && address - start < length) {
      return min(length - (address - start), u64.MAX_VALUE - address);
    }
  }
  return 0;
}

/** Whether all bytes are RAM, in one range of the map or several. @generalRegisters */
export function isRam(ranges: Ptr<MemoryRange>, count: u32, start: u64, length: u64): bool {
  if (!isWithin(start, length, u64.MAX_VALUE)) return false;
  let known: u64 = 0; // bytes from the start on that are RAM
  for (let round: u32 = 0; known < length && round < count; round++) {
    const more = ramFrom(ranges, count, start + known);
    if (more == 0) return false;
    known += min(more, length - known);
  }
  return known == length;
}

/** Whether the image and a module lie in RAM without touching each other. @generalRegisters */
export function fits(
  ranges: Ptr<MemoryRange>,
  count: u32,
  image: u64,
  imageLength: u64,
  start: u64,
  length: u64,
): bool {
  return (
    isRam(ranges, count, image, imageLength) &&
    isRam(ranges, count, start, length) &&
    !overlap(start, length, image, imageLength)
  );
}
