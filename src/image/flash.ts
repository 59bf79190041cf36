/** Copies an image to a disk, and looks whether it is there. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Disk } from './disk.ts';

export interface Flash {
  /** Path of an image. */
  image: string;
  /** Path of a disk that nobody uses. */
  disk: string;
  /** Stops between two pieces, by throwing its reason. */
  signal?: AbortSignal;
  onProgress?: (done: number, total: number, what: 'writing' | 'checking') => void;
}

const PIECE = 4 * 2 ** 20;
/** Bytes 510 and 511 of a disk that any firmware would start. */
const SIGNATURE = 0xaa55;

/**
 * Throws with a reason why this image must not go there. mayBeFixed: the person knows that it is no
 * stick.
 */
export function requireFit(image: string, bytes: number, disk: Disk, mayBeFixed: boolean): void {
  const { path, uses, isReadOnly, isRemovable } = disk;
  if (uses.length > 0) {
    throw new Error(
      `${path} is in use:\n  ${uses.join('\n  ')}\nUnmount it first, if it is the right one`,
    );
  }
  if (isReadOnly) throw new Error(`${path} is write-protected`);
  if (bytes > disk.bytes) {
    throw new Error(`${path} has ${disk.bytes} bytes, ${image} ${bytes}: expected a larger disk`);
  }
  if (!isRemovable && !mayBeFixed) {
    throw new Error(`${path} does not call itself removable: --fixed-disk if it is the right one`);
  }
}

/** Size of an image in bytes; throws if it is none that a disk could boot from. */
export async function imageBytes(path: string): Promise<number> {
  const file = await open(path);
  try {
    const sector = Buffer.alloc(512);
    const { bytesRead } = await file.read(sector, 0, 512, 0);
    if (bytesRead < 512 || sector.readUInt16LE(510) !== SIGNATURE) {
      throw new Error(`${path} is no disk image: expected an .img or .iso that mu build wrote`);
    }
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

/**
 * Writes, waits until the disk has everything, reads it back. Throws if the disk then holds
 * something else.
 */
export async function flash({ image, disk, signal, onProgress }: Flash): Promise<void> {
  const total = await imageBytes(image);
  const source = await open(image);
  // Exclusive: Linux refuses a disk that is mounted or otherwise in use, even since we looked.
  const target = await open(disk, constants.O_WRONLY | constants.O_EXCL);
  let written: string;
  try {
    written = await digest(source, total, async (piece, at) => {
      signal?.throwIfAborted();
      await writeAll(target, piece, at);
      onProgress?.(at + piece.length, total, 'writing');
    });
    await target.sync();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code ? new Error(`${disk}: ${message}; it holds a part of the image, if any`) : error;
  } finally {
    await Promise.all([source.close(), target.close()]);
  }
  // When its last user closes a disk, Linux forgets what it has in memory of it: this reads the
  // disk.
  const again = await open(disk);
  try {
    const found = await digest(again, total, async (piece, at) => {
      signal?.throwIfAborted();
      onProgress?.(at + piece.length, total, 'checking');
    });
    if (found === written) return;
    throw new Error(
      `${disk} gives back other bytes than were written: SHA-256 ${found}, expected ${written}; try another disk`,
    );
  } finally {
    await again.close();
  }
}

/** SHA-256 of a file's first bytes; each piece goes through `use` as well. */
async function digest(
  file: FileHandle,
  total: number,
  use: (piece: Buffer, at: number) => Promise<void>,
): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(PIECE);
  for (let at = 0; at < total; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(PIECE, total - at), at);
    if (bytesRead === 0) throw new Error(`a file ends at byte ${at}: expected ${total}`);
    const piece = buffer.subarray(0, bytesRead);
    hash.update(piece);
    await use(piece, at);
    at += bytesRead;
  }
  return hash.digest('hex');
}

async function writeAll(file: FileHandle, piece: Buffer, start: number): Promise<void> {
  for (let done = 0; done < piece.length; ) {
    const { bytesWritten } = await file.write(piece, done, piece.length - done, start + done);
    done += bytesWritten;
  }
}
