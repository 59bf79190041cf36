import { createHash, randomBytes } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root folder: guest sources and linker scripts lie below it. */
export const PROJECT_ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Where models, packs and compiled guests are kept: $MU_CACHE, else the XDG cache folder. */
export function cacheFolder(): string {
  const { MU_CACHE, XDG_CACHE_HOME } = process.env;
  return MU_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'muinference');
}

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

/** SHA-256 over names and contents of the files below some folders of the project, in name order. */
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
 * processes that build the same thing at the same time do no harm.
 */
export async function cached(
  kind: string,
  key: string,
  build: (folder: string) => Promise<void> | void,
): Promise<{ folder: string; wasCached: boolean }> {
  const folder = join(cacheFolder(), kind, key.slice(0, 32));
  if (existsSync(folder)) return { folder, wasCached: true };
  const temporary = `${folder}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  mkdirSync(temporary, { recursive: true });
  removeAbandoned(dirname(folder));
  try {
    await build(temporary);
    renameSync(temporary, folder);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    // If it is there all the same, another process was faster: its result is ours by construction.
    if (!existsSync(folder)) throw error;
  }
  return { folder, wasCached: false };
}

/** Temporary folders whose process was killed: NAME.PID.RANDOM.tmp. */
function removeAbandoned(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = /\.(\d+)\.[0-9a-f]+\.tmp$/.exec(name)?.[1];
    if (pid && !isRunning(Number(pid))) {
      rmSync(join(parent, name), { recursive: true, force: true });
    }
  }
}

/** Is there a process with this id? */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // another user's
  }
}
