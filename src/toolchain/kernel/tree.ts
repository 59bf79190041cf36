/**
 * The folder in which make leaves its objects, kept so that another initramfs only links again. One
 * build at a time may have it: who builds takes it by giving it a name of his own, which only one can
 * do, and gives it back when all went well. A tree whose owner was killed is swept away.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeAbandoned, removeUnused } from '../cache/entry.ts';
import { cacheFolder } from '../cache/folders.ts';
import { livingOwner, temporaryName } from '../cache/owner.ts';
import { hashOf } from '../cache.ts';

export async function withTree<T>(
  name: string,
  key: string,
  onWait: (owner: number) => void,
  build: (tree: string) => Promise<T>,
): Promise<T> {
  const trees = cacheFolder(join('kernel-tree', name), { hasPlainPath: true });
  const home = join(trees, hashOf([key, process.getuid?.()]).slice(0, 32)); // another user's could be read only
  const mine = temporaryName(home);
  await take(home, mine, onWait);
  try {
    const result = await build(mine);
    giveBack(mine, home);
    return result;
  } catch (error) {
    rmSync(mine, { recursive: true, force: true });
    throw error;
  }
}

const POLL_MILLISECONDS = 200;

async function take(home: string, mine: string, onWait: (owner: number) => void): Promise<void> {
  for (;;) {
    if (renamed(home, mine)) return;
    removeAbandoned(dirname(home));
    const owner = findOwner(home);
    if (owner === null) {
      mkdirSync(home, { recursive: true });
    } else {
      onWait(owner);
      await sleep(POLL_MILLISECONDS);
    }
  }
}

/** The process that has the tree. One on another machine, or in another container, is not waited for. */
function findOwner(home: string): number | null {
  const names = readdirSync(dirname(home)).filter((name) => name.startsWith(`${basename(home)}.`));
  return names.map(livingOwner).find((owner) => owner !== null) ?? null;
}

/** A tree is 50-100 MB: of each kernel only the latest are kept. */
function giveBack(mine: string, home: string): void {
  utimesSync(mine, new Date(), new Date());
  if (!renamed(mine, home)) rmSync(mine, { recursive: true, force: true });
  removeUnused(home);
}

function renamed(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw error;
  }
}
