/**
 * Bytes as text and back without loss, though they may be no UTF-8: a byte that is none of a
 * character becomes a lone surrogate, U+DC00 + byte, which no UTF-8 has (Python's surrogateescape,
 * PEP 383).
 */
export function textOf(bytes: Uint8Array): string {
  const plain = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = plain.toString('utf8');
  if (!text.includes('\ufffd')) return text;
  let result = '';
  for (let at = 0; at < plain.length; ) {
    const width = [1, 2, 3, 4].find((width) => isCharacter(plain.subarray(at, at + width)));
    result += width
      ? plain.toString('utf8', at, at + width)
      : String.fromCharCode(0xdc00 + plain[at]);
    at += width ?? 1;
  }
  return result;
}

export function bytesOf(text: string): Uint8Array {
  const parts = text.split(/([\u{dc80}-\u{dcff}])/u); // none of these is half of a pair
  return Buffer.concat(
    parts.map((part, i) =>
      i % 2 === 1 ? Uint8Array.of(part.charCodeAt(0) - 0xdc00) : Buffer.from(part),
    ),
  );
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** One whole character of UTF-8, no more. */
function isCharacter(bytes: Uint8Array): boolean {
  try {
    return [...decoder.decode(bytes)].length === 1;
  } catch {
    return false;
  }
}
