/**
 * Ranges of addresses and bytes that others tell: loaders, firmware, tables, files. Any of these
 * numbers may be any, so none is added to another before it is known that the sum does not wrap.
 * What is asked here, is asked without a sum.
 */

/** Whether `length` bytes from `start` on end at `end` or below. @generalRegisters */
export function isWithin(start: u64, length: u64, end: u64): bool {
  return start <= end && length <= end - start;
}

/** Whether two ranges, neither of which wraps, have a byte in common. @generalRegisters */
export function overlap(start: u64, length: u64, other: u64, otherLength: u64): bool {
  if (start < other) return otherLength > 0 && length > other - start;
  return length > 0 && otherLength > start - other;
}

/** How many pieces of a size so many bytes fill or begin. @generalRegisters */
export function piecesOf(bytes: u64, size: u64): u64 {
  return bytes / size + (bytes % size == 0 ? 0 : 1);
}
