/**
 * Archives that Linux unpacks into its first file system: cpio in the "newc" format (Linux's
 * Documentation/driver-api/early-userspace/buffer-format.rst; cpio(5)). Each entry is a header of
 * 13 fields in hexadecimal, the name, the data; name and data end on a multiple of 4 bytes.
 */
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { finished } from 'node:stream/promises';

/**
 * A file (`content`), a character device (`device`), a symbolic link (`link`), or else a folder.
 */
export interface CpioEntry {
  /** Below the root, without a leading slash. Folders come before what lies in them. */
  path: string;
  /** Permissions: 0o755. */
  mode: number;
  /** Bytes, or the path of a file that is copied piece by piece. */
  content?: Uint8Array | { file: string };
  /** Major and minor number. */
  device?: readonly [number, number];
  /** What the link leads to. */
  link?: string;
}

const FOLDER = 0o040000;
const REGULAR = 0o100000;
const CHARACTER_DEVICE = 0o020000;
const SYMBOLIC_LINK = 0o120000;

const LAST = 'TRAILER!!!';
/** A length has eight hexadecimal digits. */
const LONGEST = 0xffffffff;

/**
 * Writes the archive and returns its length in bytes. The same entries give the same bytes: owner
 * is root, times are zero, inodes are counted. Throws if an entry could not be unpacked: no folder
 * for it, or 4 GiB and more.
 */
export async function writeCpio(output: string, entries: readonly CpioEntry[]): Promise<number> {
  requireFolders(entries);
  const stream = createWriteStream(output);
  const closed = finished(stream);
  closed.catch(() => {}); // awaited below; not to be lost while we wait for something else
  let written = 0;
  const write = async (bytes: Uint8Array) => {
    written += bytes.length;
    if (!stream.write(bytes)) await Promise.race([once(stream, 'drain'), closed]);
  };
  const pad = () => write(new Uint8Array(-written & 3));
  try {
    for (const [index, entry] of entries.entries()) {
      const { length, pieces } = await dataOf(entry);
      await write(header(entry.path, index + 1, modeOf(entry), length, entry.device));
      await pad();
      const start = written;
      for await (const piece of pieces) await write(piece);
      if (written - start !== length) {
        throw new Error(`${entry.path}: expected ${length} bytes, read ${written - start}`);
      }
      await pad();
    }
    await write(header(LAST, 0, 0, 0));
    await pad();
    stream.end();
    await closed;
  } finally {
    stream.destroy();
  }
  return written;
}

/**
 * The kernel makes no folders that the archive does not name, and says nothing of what it then
 * leaves out.
 */
function requireFolders(entries: readonly CpioEntry[]): void {
  const folders = new Set(['']);
  for (const entry of entries) {
    const parent = entry.path.slice(0, Math.max(entry.path.lastIndexOf('/'), 0));
    if (!folders.has(parent)) {
      throw new Error(`${entry.path}: expected an entry for the folder "${parent}" before it`);
    }
    if (modeOf(entry) >= FOLDER && modeOf(entry) < FOLDER + 0o10000) folders.add(entry.path);
  }
}

function modeOf({ mode, content, device, link }: CpioEntry): number {
  const type =
    content !== undefined
      ? REGULAR
      : device !== undefined
        ? CHARACTER_DEVICE
        : link !== undefined
          ? SYMBOLIC_LINK
          : FOLDER;
  return type | (mode & 0o7777);
}

interface Data {
  length: number;
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

async function dataOf({ path, content, link }: CpioEntry): Promise<Data> {
  if (content !== undefined && 'file' in content) {
    const { size } = await stat(content.file);
    if (size > LONGEST) {
      throw new Error(
        `${content.file}: an initramfs holds no file of 4 GiB or more, ${path} would have ${size} bytes; take a smaller or a more quantized model`,
      );
    }
    return { length: size, pieces: createReadStream(content.file, { highWaterMark: 1 << 20 }) };
  }
  const bytes = content ?? Buffer.from(link ?? '');
  return { length: bytes.length, pieces: [bytes] };
}

/**
 * The fixed fields and the name: ino, mode, uid, gid, nlink, mtime, filesize, dev (2), rdev (2),
 * namesize, check.
 */
function header(
  path: string,
  inode: number,
  mode: number,
  length: number,
  device: readonly [number, number] = [0, 0],
): Uint8Array {
  const name = Buffer.from(`${path}\0`);
  const fields = [inode, mode, 0, 0, 1, 0, length, 0, 0, ...device, name.length, 0];
  const digits = fields.map((field) => field.toString(16).padStart(8, '0')).join('');
  return Buffer.concat([Buffer.from(`070701${digits}`), name]);
}
