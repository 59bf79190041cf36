import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/** Copies a file into one that is open, from byte `start` on; piece by piece, for models are large. */
export function copyInto(file: number, start: number, source: string): void {
  const from = openSync(source, 'r');
  const piece = Buffer.alloc(1 << 20);
  let at = start;
  for (let got = readSync(from, piece); got > 0; got = readSync(from, piece)) {
    at += writeSync(file, piece, 0, got, at);
  }
  closeSync(from);
}
