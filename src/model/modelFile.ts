import { readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { ModelError } from './modelError.ts';

/** A model file opened for reading; offsets and sizes are exact up to 2^53. */
export interface ModelFile {
  path: string;
  /** The name in messages. */
  name: string;
  bytes: number;
  /** Exactly length bytes from offset. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Fills `into` from offset at once: for headers, which are walked field by field. */
  readNow(offset: number, into: Uint8Array): void;
  close(): Promise<void>;
}

/** Node reads at most 2 GiB in one call; smaller pieces keep a slow disk interruptible. */
const READ_STEP = 64 * 1024 * 1024;

export async function openModelFile(path: string): Promise<ModelFile> {
  const name = basename(path);
  const handle = await openHandle(path);
  const { size } = await handle.stat();
  const truncated = (offset: number, length: number) =>
    new ModelError({
      file: name,
      field: `bytes ${offset} to ${offset + length - 1}`,
      found: 'the end of the file',
      expected: `the ${size} bytes that it had when it was opened`,
      remedy: 'something changes the file: try again when it is complete',
    });
  return {
    path,
    name,
    bytes: size,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const step = Math.min(READ_STEP, length - done);
        const { bytesRead } = await handle.read(bytes, done, step, offset + done);
        if (bytesRead === 0) throw truncated(offset, length);
        done += bytesRead;
      }
      return bytes;
    },
    readNow(offset, into) {
      for (let done = 0; done < into.length; ) {
        const count = readSync(handle.fd, into, done, into.length - done, offset + done);
        if (count === 0) throw truncated(offset, into.length);
        done += count;
      }
    },
    close: () => handle.close(),
  };
}

async function openHandle(path: string): Promise<FileHandle> {
  const name = basename(path);
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    if ((await handle.stat()).isFile()) return handle;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new ModelError(
      {
        file: name,
        field: 'file',
        found: code === 'ENOENT' ? 'nothing at this path' : String((cause as Error).message),
        expected: 'a readable model file',
        remedy: `check the path ${path}`,
      },
      { cause },
    );
  }
  await handle.close();
  throw new ModelError({
    file: name,
    field: 'file',
    found: 'a folder or device',
    expected: 'a regular file',
  });
}
