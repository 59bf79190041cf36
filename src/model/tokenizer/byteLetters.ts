/**
 * GPT-2's byte letters: byte-level BPE writes each byte as a printable character, so that a
 * vocabulary is text. Bytes that are printable in Latin-1 (! to ~, ¡ to ¬, ® to ÿ) stand for
 * themselves; the others follow from U+0100 on. Source: encoder.py of Radford et al. 2019,
 * bytes_to_unicode.
 */
export const letterOfByte: readonly string[] = listLetters();

export const byteOfLetter: ReadonlyMap<string, number> = new Map(
  letterOfByte.map((letter, byte) => [letter, byte]),
);

function listLetters(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable =
      (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCodePoint(printable ? byte : next++);
  });
}
