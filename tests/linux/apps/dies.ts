import { read, write } from 'machine';

/** An engine that breaks off its answer: waits for a request, begins to answer, and panics. */
export function main(): void {
  say('\x05');
  let byte = read();
  while (byte != 0x03) {
    if (byte < 0 || byte == 0x04) return;
    byte = read();
  }
  say('\x02half an ans');
  unreachable();
}

function say(text: string): void {
  write(utf8(text), text.length);
}
