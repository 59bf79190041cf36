import { createHash } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { hashFile } from '../toolchain/cache.ts';
import type { KnownModel } from './knownModels.ts';

/**
 * Whether a file is the model, by size and SHA-256. A stamp in the folder `stamps` remembers the answer for this
 * path, size and time of change, so that starting does not read the whole file every time.
 */
export async function isModel(path: string, model: KnownModel, stamps: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isFile() || found.size !== model.bytes) return false;
  const identity = `${resolve(path)}\n${found.size} ${found.mtimeMs} ${found.ino}\n${model.sha256}\n`;
  const name = createHash('sha256').update(resolve(path)).digest('hex').slice(0, 16);
  const stamp = join(stamps, name);
  if ((await readFile(stamp, 'utf8').catch(() => '')) === identity) return true;
  if ((await hashFile(path)) !== model.sha256) return false;
  try {
    await mkdir(dirname(stamp), { recursive: true });
    await writeFile(stamp, identity);
  } catch {
    // A cache that cannot be written only costs time.
  }
  return true;
}
