/** What a file holds, without reading gigabytes at each start. */
import { createHash } from 'node:crypto';
import {
  closeSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { hashFile, hashOf } from '../cache.ts';
import { cacheFolder, cacheFolders } from './folders.ts';
import { temporaryName } from './owner.ts';

/** Smaller files are read each time. */
const SMALL = 2 ** 20;

/** A change this short ago may be followed by another with the same time. Milliseconds. */
const SETTLED = 2000;

/**
 * SHA-256 of a file, in hexadecimal. A large file's is remembered for as long as its stamp stays
 * the same, and 64 samples of its content. Stamps that mean nothing are not trusted: then the whole
 * file is read.
 */
export async function contentHash(path: string): Promise<string> {
  const stamp = fileStamp(path);
  const { size, ctimeNs } = statSync(path, { bigint: true });
  if (size <= SMALL) return hashFile(path);
  const name = hashOf([stamp, sampleHash(path, Number(size))]).slice(0, 32);
  const known = remembered(name);
  if (known !== undefined) return known;
  const age = Date.now() - Number(ctimeNs / 1_000_000n);
  const hash = await hashFile(path);
  // Images whose times were all set to one, and file systems without a time of change, have whole
  // seconds.
  const isTelling = ctimeNs % 1_000_000_000n !== 0n && age > SETTLED;
  if (isTelling && fileStamp(path) === stamp) remember(name, hash);
  return hash;
}

/** Changes whenever a file does: Linux sets the time of change itself, nobody else can. */
export function fileStamp(path: string): string {
  const { size, mtimeNs, ctimeNs, ino } = statSync(path, { bigint: true });
  return [size, mtimeNs, ctimeNs, ino].join(' ');
}

const SAMPLES = 64;
const SAMPLE_BYTES = 4096;

/** Of pieces at equal distances, the first and the last bytes among them. */
function sampleHash(path: string, size: number): string {
  const hash = createHash('sha256');
  const piece = Buffer.alloc(SAMPLE_BYTES);
  const file = openSync(path, 'r');
  try {
    for (let i = 0; i < SAMPLES; i++) {
      const at = Math.floor((i * (size - SAMPLE_BYTES)) / (SAMPLES - 1));
      hash.update(piece.subarray(0, readSync(file, piece, 0, SAMPLE_BYTES, at)));
    }
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}

/** Beside the packs. */
const KIND = 'content';

function remembered(name: string): string | undefined {
  for (const folder of cacheFolders(KIND)) {
    try {
      const text = readFileSync(join(folder, name), 'utf8');
      if (/^[0-9a-f]{64}$/.test(text)) return text;
    } catch {
      // nothing there, or not ours to read
    }
  }
  return undefined;
}

function remember(name: string, hash: string): void {
  try {
    const path = join(cacheFolder(KIND), name);
    const temporary = temporaryName(path);
    writeFileSync(temporary, hash);
    renameSync(temporary, path);
  } catch {
    // A cache that cannot be written only costs time.
  }
}
