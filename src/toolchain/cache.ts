import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listFiles, markUsed, problemOf, removeAbandoned, removeIfOurs } from './cache/entry.ts';
import { inWritableFolder, noticeOnce, type Placing } from './cache/folders.ts';
import { temporaryName } from './cache/owner.ts';

export { cacheFolder } from './cache/folders.ts';

/** The project's root folder: guest sources and linker scripts lie below it. */
export const PROJECT_ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** SHA-256, in hexadecimal, of a list of values; `bigint` included, order matters. */
export function hashOf(values: readonly unknown[]): string {
  const text = JSON.stringify(values, (_key, value) =>
    typeof value === 'bigint' ? `${value}n` : value,
  );
  return createHash('sha256').update(text).digest('hex');
}

/** SHA-256 of a file, in hexadecimal. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece);
  return hash.digest('hex');
}

/**
 * SHA-256 over names and contents of the files below some folders of the project, in name order.
 */
export function hashSources(folders: readonly string[], endings: readonly string[]): string {
  const hash = createHash('sha256');
  for (const folder of folders) {
    const top = join(PROJECT_ROOT, folder);
    if (!existsSync(top)) continue;
    const names = readdirSync(top, { recursive: true, encoding: 'utf8' }).sort();
    for (const name of names.filter((name) => endings.some((ending) => name.endsWith(ending)))) {
      hash
        .update(`${folder}/${name}\0`)
        .update(readFileSync(join(top, name)))
        .update('\0');
    }
  }
  return hash.digest('hex');
}

/**
 * A folder in the cache named by everything that its contents depend on. `build` fills a temporary
 * folder which then takes its final name at once, so a reader never sees half of it and two
 * processes that build the same thing at the same time do no harm. What was damaged since is built
 * again.
 */
export async function cached(
  kind: string,
  key: string,
  build: (folder: string) => Promise<void> | void,
  placing: Placing = {},
): Promise<{ folder: string; wasCached: boolean }> {
  const name = key.slice(0, 32);
  const find = (home: string) => {
    const folder = join(home, name);
    return problemOf(folder) === null ? { folder, temporary: null } : undefined;
  };
  const begin = (home: string): { folder: string; temporary: string | null } => {
    const folder = join(home, name);
    const temporary = temporaryName(folder);
    mkdirSync(temporary);
    return { folder, temporary };
  };
  const { folder, temporary } = inWritableFolder(kind, placing, begin, find);
  if (temporary === null) {
    markUsed(folder);
    return { folder, wasCached: true };
  }
  removeAbandoned(dirname(folder));
  try {
    await build(temporary);
    listFiles(temporary);
    putInPlace(temporary, folder);
  } catch (error) {
    throw withPlace(error, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return { folder, wasCached: false };
}

/**
 * Gives a new entry its name. If another process was faster, its result is ours by construction.
 */
function putInPlace(temporary: string, folder: string): void {
  const problem = existsSync(folder) ? problemOf(folder) : null;
  const damaged = temporaryName(folder);
  if (problem !== null) {
    noticeOnce(`${folder} is made anew: ${problem}`);
    try {
      renameSync(folder, damaged);
    } catch (error) {
      throw new Error(`${folder}: ${problem} (${(error as Error).message}). Remove this folder`);
    }
  }
  try {
    renameSync(temporary, folder);
  } catch (error) {
    if (problemOf(folder) !== null) throw error;
  }
  removeIfOurs(damaged);
}

/**
 * Whether nothing more could be written: no room, none left for this user, or too much for one
 * file.
 */
export function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EFBIG'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Such an error names no file: says where it was, and what to do. */
export function withPlace(error: unknown, place: string): unknown {
  if (!isFull(error)) return error;
  return new Error(`${place}: ${(error as Error).message}; make room, or take another folder`);
}
