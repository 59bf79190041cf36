/**
 * The host's end of guest/apps/evaluate.ts: requests out, logits in, over any guest's byte stream.
 */
import type { Readable, Writable } from 'node:stream';
import { ENQ } from '../console/framing.ts';
import type { Evaluator } from './perplexity.ts';

/** A running guest's console: a process's standard input and output, or a machine's serial port. */
export interface Wire {
  input: Writable;
  output: Readable;
}

/** vocabulary: values per vector of logits, as the guest's model has it. */
export function createGuestEvaluator(wire: Wire, vocabulary: number): Evaluator {
  const chunks = wire.output.iterator() as AsyncIterableIterator<Buffer>;
  let waiting: Buffer = Buffer.alloc(0);

  /** Fills `to`; returns how many bytes came before the stream ended. */
  async function receive(to: Uint8Array): Promise<number> {
    let done = 0;
    while (done < to.length) {
      if (waiting.length === 0) {
        const next = await chunks.next();
        if (next.done) return done;
        waiting = next.value;
      }
      const size = Math.min(waiting.length, to.length - done);
      to.set(waiting.subarray(0, size), done);
      waiting = waiting.subarray(size);
      done += size;
    }
    return done;
  }

  /** Waits for the guest to be ready; what it says before is for people. */
  async function awaitReady(): Promise<void> {
    const byte = new Uint8Array(1);
    const said: number[] = [];
    while ((await receive(byte)) === 1) {
      if (byte[0] === ENQ) return;
      said.push(byte[0]);
    }
    throw new Error(`the guest stopped before it was ready${lastWords(Uint8Array.from(said))}`);
  }

  return {
    vocabulary,
    async *evaluate(tokens, first) {
      await awaitReady();
      wire.input.write(encodeRequest(tokens, first));
      const logits = new Float32Array(vocabulary);
      const bytes = new Uint8Array(logits.buffer);
      for (let position = first; position < tokens.length; position++) {
        const received = await receive(bytes);
        if (received < bytes.length) {
          throw new Error(
            `the guest stopped before the logits of position ${position} of ${tokens.length}` +
              lastWords(bytes.subarray(0, received)),
          );
        }
        yield logits;
      }
    },
  };
}

/** u32 count, i32[count] tokens, u32 first, little endian. */
function encodeRequest(tokens: Int32Array, first: number): Buffer {
  const request = Buffer.alloc(8 + 4 * tokens.length);
  request.writeUInt32LE(tokens.length, 0);
  tokens.forEach((token, i) => {
    request.writeInt32LE(token, 4 + 4 * i);
  });
  request.writeUInt32LE(first, 4 + 4 * tokens.length);
  return request;
}

/** A guest that panics says why in text: the end of what it wrote, from its last line that reads as text. */
function lastWords(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1').trimEnd();
  const line = text.slice(text.lastIndexOf('\n') + 1);
  return /^[\x20-\x7e]{4,}$/.test(line) ? `; it said: ${line}` : '';
}
