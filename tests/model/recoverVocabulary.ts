/**
 * The vocabularies in $MU_MODELS/vocab are GGUF files that went through a text conversion: every byte that was no UTF-8
 * became U+FFFD (EF BF BD). Strings are whole; a length, count or number with a byte ≥ 80 is damaged.
 * This reads what is left, so that llama.cpp's own test vectors for them can be used.
 */
const REPLACEMENT = Buffer.from('efbfbd', 'hex');

/** Strings of a damaged array of strings: the key names it, `next` is the key that follows. */
export function recoverStrings(file: Buffer, key: string, next: string): string[] {
  let at = afterArrayHead(file, key);
  const strings: string[] = [];
  for (;;) {
    const { end, length } = readLength(file, at);
    const stop = length === undefined ? endOfString(file, end) : end + length;
    const text = file.toString('latin1', end, stop);
    if (text === next) return strings;
    strings.push(text);
    at = stop;
  }
}

/** A damaged array of small i32. */
export function recoverIntegers(file: Buffer, key: string, count: number): number[] {
  const at = afterArrayHead(file, key);
  return Array.from({ length: count }, (_, i) => file.readInt32LE(at + 4 * i));
}

/** Position of an array's first element: key, value type u32, element type u32, count u64. */
function afterArrayHead(file: Buffer, key: string): number {
  const at = file.indexOf(key);
  if (at < 0) throw new Error(`no key ${key}`);
  return readLength(file, at + key.length + 8).end;
}

/** A u64: its value where it is whole, and where it ends. */
function readLength(file: Buffer, at: number): { length?: number; end: number } {
  let end = at;
  let isWhole = true;
  for (let byte = 0; byte < 8; byte++) {
    const isDamaged = file.subarray(end, end + 3).equals(REPLACEMENT);
    if (isDamaged) isWhole = false;
    end += isDamaged ? 3 : 1;
  }
  return { length: isWhole ? Number(file.readBigUInt64LE(at)) : undefined, end };
}

/** Strings have no NUL, so the next one belongs to the length of the next string: one byte, or a damaged one, before it. */
function endOfString(file: Buffer, start: number): number {
  const zero = file.indexOf(0, start);
  return file.subarray(zero - 3, zero).equals(REPLACEMENT) ? zero - 3 : zero - 1;
}
