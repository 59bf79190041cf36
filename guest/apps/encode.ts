/**
 * Encodes one text for the host (src/measure/guestPrograms.ts), with the tokenizer that answers prompts too.
 *
 *   host → guest   the text, UTF-8, up to the end of input
 *   guest → host   i32 token ids, little endian; the start token first if the model wants one
 *
 * The host compiles it with a TOKENIZER_MAX_TEXT that the text fits in.
 */
import { powerOff, read, write } from 'machine';
import { TOKEN_BOS, TOKENIZER_ADD_BOS, TOKENIZER_MAX_TEXT } from 'model';
import { encode } from '../engine/tokenizer.ts';

/** A token stands for one byte at least, but for the start token and a space before the text. */
const CAPACITY: i32 = TOKENIZER_MAX_TEXT + 2;

const text = zeroed<FixedArray<u8, typeof TOKENIZER_MAX_TEXT>>();
const tokens = zeroed<FixedArray<i32, typeof CAPACITY>>();

export function main(): void {
  const length = readText();
  let count: i32 = 0;
  if (TOKENIZER_ADD_BOS) {
    tokens[0] = TOKEN_BOS;
    count = 1;
  }
  count = encode(ref(text[0]), length, true, ref(tokens[0]), count, CAPACITY);
  if (count < 0) refuse('encode: more tokens than bytes\n');
  write(changetype<Ptr<u8>>(ref(tokens[0])), usize(count) * sizeof<i32>());
}

function readText(): i32 {
  let length: i32 = 0;
  let byte = read();
  while (byte >= 0) {
    if (length == TOKENIZER_MAX_TEXT)
      refuse('encode: the text is longer than TOKENIZER_MAX_TEXT\n');
    text[length] = u8(byte);
    length += 1;
    byte = read();
  }
  return length;
}

function refuse(reason: string): void {
  write(utf8(reason), reason.length);
  powerOff(1);
}
