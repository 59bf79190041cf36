/** Binary console input and output for programs that measure: numbers, little endian. */
import { powerOff, read, write } from 'machine';
import { say } from './say.ts';

/** What `readWord` gives at the end of input; no u32 is negative. */
export const END: i64 = -1;

const long = zeroed<FixedArray<u64, 1>>();

/** Four bytes; END if the input ends before or within them. */
export function readWord(): i64 {
  let word: i64 = 0;
  for (let shift: i32 = 0; shift < 32; shift += 8) {
    const byte = read();
    if (byte < 0) return END;
    word |= i64(byte) << i64(shift);
  }
  return word;
}

/** Eight bytes. */
export function writeLong(value: u64): void {
  long[0] = value;
  write(changetype<Ptr<u8>>(ref(long[0])), sizeof<u64>());
}

/** One line of text, then exit code 1. */
export function refuse(reason: string): void {
  say(reason);
  powerOff(1);
}
