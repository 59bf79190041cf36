import { text } from 'node:stream/consumers';

/** The prompt of an option value: `-` reads standard input to its end, a last line end left out. */
export async function readPrompt(value: string): Promise<string> {
  if (value !== '-') return value;
  return (await text(process.stdin)).replace(/\r?\n$/, '');
}
