/**
 * What a person gives to be asked, byte for byte: whatever it is, the model gets all of it or it is
 * refused.
 */
import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';

const LF = 0x0a;
const CR = 0x0d;

/**
 * The prompt of an option's value: `-` reads standard input to its end, a last line end left out.
 */
export async function readPrompt(value: string): Promise<Uint8Array> {
  if (value !== '-') return bytesOfArgument(value);
  const given = await buffer(process.stdin);
  return given.at(-1) === LF ? withoutReturn(given.subarray(0, -1)) : given;
}

/** What Node puts in place of bytes that are no UTF-8. */
const REPLACEMENT = '\ufffd';

/**
 * An argument before Node has decoded it, from Linux's own list where that is to be had
 * (proc_pid_cmdline(5)).
 */
function bytesOfArgument(value: string): Uint8Array {
  const decoded = Buffer.from(value);
  if (!value.includes(REPLACEMENT)) return decoded;
  let list: string;
  try {
    list = readFileSync('/proc/self/cmdline', 'latin1');
  } catch {
    return decoded;
  }
  const argument = list.split('\0').find((given) => toText(given).endsWith(value));
  if (argument === undefined) return decoded;
  // `-p` or `--prompt=`, if it stands with its value
  const option = toText(argument).slice(0, -value.length);
  return Buffer.from(argument.slice(option.length), 'latin1');
}

function toText(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString();
}

/**
 * The lines of a pipe: bytes up to LF or CR LF, the last one up to the end of the pipe. Empty ones
 * ask nothing.
 */
export async function* readLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let begun: Uint8Array[] = [];
  for await (const chunk of input) {
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      const line = withoutReturn(Buffer.concat([...begun, chunk.subarray(start, end)]));
      if (line.length > 0) yield line;
      begun = [];
      start = end + 1;
    }
    begun.push(chunk.subarray(start));
  }
  const rest = Buffer.concat(begun);
  if (rest.length > 0) yield rest;
}

/** Without the CR of a line end CR LF. */
function withoutReturn(line: Uint8Array): Uint8Array {
  return line.at(-1) === CR ? line.subarray(0, -1) : line;
}
