import { write } from 'machine';

/** Storage as large as a model's: it must be zero at start, and all of it must be there. */
const LENGTH: usize = 209715200;
const storage = zeroed<FixedArray<u8, 209715200>>();

export function main(): void {
  const zero = isAll(0);
  memory.fill(ref(storage[0]), 1, LENGTH);
  const text = zero && isAll(1) ? 'all zero, then all ones\n' : 'storage is damaged\n';
  write(utf8(text), text.length);
}

/** One byte per page, and the last one. */
function isAll(value: u8): bool {
  for (let i: usize = 0; i < LENGTH; i += 4096) {
    if (storage[i] != value) return false;
  }
  return storage[LENGTH - 1] == value;
}
