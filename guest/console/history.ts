/**
 * The last lines that a person typed, oldest first, each ended by a zero byte. The oldest ones make
 * room for new ones.
 */

const BYTES: i32 = 4096;

const lines = zeroed<FixedArray<u8, typeof BYTES>>();
let used: i32 = 0; // always less than BYTES
/** Where the line begins that was recalled; `used`: none was. */
let recalled: i32 = 0;

/**
 * Adds a line, unless it is the newest one again or too long to keep. Nothing is recalled any more.
 */
export function addLine(line: Ptr<u8>, length: i32): void {
  const size = length + 1;
  if (size < BYTES && !isNewest(line, length)) {
    while (used + size >= BYTES) dropOldest();
    memory.copy(ref(lines[used]), line, usize(length));
    lines[used + length] = 0;
    used += size;
  }
  recalled = used;
}

/** Recalls the line before the recalled one; false if there is none. */
export function recallOlder(): bool {
  if (recalled == 0) return false;
  do recalled--;
  while (recalled > 0 && lines[recalled - 1] != 0);
  return true;
}

/**
 * Recalls the line after the recalled one, after the newest an empty one; false if there is none.
 */
export function recallNewer(): bool {
  if (recalled == used) return false;
  recalled = endOf(recalled) + 1;
  return true;
}

/** u8[recalledLength()] */
export function recalledLine(): Ptr<u8> {
  return ref(lines[recalled]);
}

export function recalledLength(): i32 {
  return recalled == used ? 0 : endOf(recalled) - recalled;
}

function isNewest(line: Ptr<u8>, length: i32): bool {
  recalled = used;
  return (
    recallOlder() &&
    recalledLength() == length &&
    memory.compare(recalledLine(), line, usize(length)) == 0
  );
}

function dropOldest(): void {
  const size = endOf(0) + 1;
  used -= size;
  memory.copy(ref(lines[0]), ref(lines[size]), usize(used));
}

function endOf(start: i32): i32 {
  let end = start;
  while (lines[end] != 0) end++;
  return end;
}
