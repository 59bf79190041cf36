import { read, write } from 'machine';

/**
 * An engine that panics: before it answers a request that begins with `0`, else within its answer.
 */
export function main(): void {
  say('\x05');
  let text = false;
  let byte = read();
  while (byte != 0x03) {
    if (byte < 0 || byte == 0x04) return;
    if (text && byte == 0x30) unreachable();
    text = byte == 0x02;
    byte = read();
  }
  say('\x02half an ans');
  unreachable();
}

function say(text: string): void {
  write(utf8(text), text.length);
}
