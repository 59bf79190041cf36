import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/**
 * Copies a file into one that is open, from byte `start` on; piece by piece, for models are large.
 */
export function copyInto(file: number, start: number, source: string): void {
  const from = openSync(source, 'r');
  const piece = Buffer.alloc(1 << 20);
  let at = start;
  for (let got = readSync(from, piece); got > 0; got = readSync(from, piece)) {
    at += writeAll(file, piece.subarray(0, got), at);
  }
  closeSync(from);
}

/**
 * Writes all of it, from byte `start` on: what a nearly full disk takes a part of is tried again,
 * and fails. Returns its length.
 */
export function writeAll(file: number, bytes: Uint8Array, start: number): number {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(file, bytes, done, bytes.length - done, start + done);
  }
  return bytes.length;
}
