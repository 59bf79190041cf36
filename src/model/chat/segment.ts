/**
 * Segments: tokens and text in the words that the guest reads, out of the pack and in requests
 * (docs/pack-format.md).
 */

/** A token, or text that is encoded together with the text beside it. */
export type SegmentPart = number | Uint8Array;

/** Words: a token id, or SEGMENT_TEXT | bytes and the bytes padded to whole words, or the end. */
export const SEGMENT_TEXT = 0x80000000;
export const SEGMENT_END = 0xffffffff;

export function encodeSegment(parts: SegmentPart[]): Uint8Array {
  const encoded = parts.flatMap((part) => {
    if (typeof part === 'number') return [word(part)];
    return [word(SEGMENT_TEXT + part.length), part, Buffer.alloc((4 - (part.length % 4)) % 4)];
  });
  return Buffer.concat([...encoded, word(SEGMENT_END)]);
}

function word(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
