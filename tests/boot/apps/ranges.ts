import { fits, isRam, type MemoryRange, ramFrom } from '../../../guest/machine/pc/memoryMap.ts';
import { isWithin, overlap, piecesOf } from '../../../guest/machine/ranges.ts';

/**
 * What a loader's numbers go through, as functions of WebAssembly: tests/boot/ranges.test.ts lays
 * out the map at MAP.
 */
const MAP: usize = 0x100000;

export function within(start: u64, length: u64, end: u64): bool {
  return isWithin(start, length, end);
}

export function overlaps(start: u64, length: u64, other: u64, otherLength: u64): bool {
  return overlap(start, length, other, otherLength);
}

export function pieces(bytes: u64, size: u64): u64 {
  return piecesOf(bytes, size);
}

function ranges(): Ptr<MemoryRange> {
  return changetype<Ptr<MemoryRange>>(MAP);
}

export function ram(count: u32, address: u64): u64 {
  return ramFrom(ranges(), count, address);
}

export function allRam(count: u32, start: u64, length: u64): bool {
  return isRam(ranges(), count, start, length);
}

export function fit(count: u32, image: u64, imageLength: u64, start: u64, length: u64): bool {
  return fits(ranges(), count, image, imageLength, start, length);
}
