/**
 * Reading what a guest's program writes: binary answers after an ENQ, and text when something is
 * wrong.
 */
import type { Readable, Writable } from 'node:stream';
import { ENQ } from '../console/protocol.ts';

/** A running guest's console: a process's standard input and output, or a machine's serial port. */
export interface Wire {
  input: Writable;
  output: Readable;
}

export interface Receiver {
  /** Fills `to`; returns how many bytes came before the stream ended. */
  receive(to: Uint8Array): Promise<number>;
  /**
   * Waits for the guest to be ready; what it says before is for people. Throws if it ends without.
   */
  awaitReady(): Promise<void>;
}

export function createReceiver(wire: Wire): Receiver {
  const chunks = wire.output.iterator() as AsyncIterableIterator<Buffer>;
  let waiting: Buffer = Buffer.alloc(0);

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

  async function awaitReady(): Promise<void> {
    const byte = new Uint8Array(1);
    const said: number[] = [];
    while ((await receive(byte)) === 1) {
      if (byte[0] === ENQ) return;
      said.push(byte[0]);
    }
    throw new Error(`the guest stopped before it was ready${lastWords(Uint8Array.from(said))}`);
  }

  return { receive, awaitReady };
}

/**
 * A guest that panics says why in text: the end of what it wrote, from its last line that reads as
 * text.
 */
export function lastWords(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1').trimEnd();
  const line = text.slice(text.lastIndexOf('\n') + 1);
  return /^[\x20-\x7e]{4,}$/.test(line) ? `; it said: ${line}` : '';
}
