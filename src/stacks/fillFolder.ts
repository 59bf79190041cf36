import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isAbandoned, temporaryName } from '../toolchain/cache/owner.ts';
import { withPlace } from '../toolchain/cache.ts';

/** What is being built lies within the folder that it is for: on the same disk. */
const UNFINISHED = 'unfinished';

/**
 * Has `build` write into a folder; a build that fails leaves it as it was. What was there under the
 * same names is replaced once all is built, by `last` at the end.
 */
export async function fillFolder<T>(
  folder: string,
  last: string,
  build: (unfinished: string) => Promise<T>,
): Promise<T> {
  const made = mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (name.startsWith(`${UNFINISHED}.`) && isAbandoned(path)) rmSync(path, { recursive: true });
  }
  const unfinished = temporaryName(join(folder, UNFINISHED));
  try {
    mkdirSync(unfinished);
    const result = await build(unfinished);
    const names = readdirSync(unfinished).sort((a, b) => Number(a === last) - Number(b === last));
    for (const name of names) {
      rmSync(join(folder, name), { recursive: true, force: true });
      renameSync(join(unfinished, name), join(folder, name));
    }
    return result;
  } catch (error) {
    throw withPlace(error, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
    if (made !== undefined) removeIfEmpty(folder);
  }
}

function removeIfEmpty(folder: string): void {
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}
