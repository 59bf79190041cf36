/**
 * The folder in which make leaves its objects, kept so that another initramfs only links again. One
 * build at a time may have it: who builds takes it by giving it a name of his own, which only one can
 * do, and gives it back when all went well. A tree whose owner was killed is swept away.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheFolder, isRunning } from '../cache.ts';

export async function withTree<T>(
  name: string,
  key: string,
  onWait: (owner: number) => void,
  build: (tree: string) => Promise<T>,
): Promise<T> {
  const home = join(cacheFolder(), 'kernel-tree', name, key.slice(0, 32));
  const mine = `${home}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
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
  mkdirSync(dirname(home), { recursive: true });
  for (;;) {
    if (renamed(home, mine)) return;
    const owner = findOwner(home);
    if (owner === null) {
      mkdirSync(home, { recursive: true });
    } else {
      onWait(owner);
      await sleep(POLL_MILLISECONDS);
    }
  }
}

/** The living process that has the tree; trees of dead ones are removed on the way. */
function findOwner(home: string): number | null {
  let owner: number | null = null;
  for (const name of readdirSync(dirname(home))) {
    const pid = Number(/\.(\d+)\.[0-9a-f]+\.tmp$/.exec(name)?.[1] ?? 0);
    if (pid === 0) continue;
    if (!isRunning(pid)) rmSync(join(dirname(home), name), { recursive: true, force: true });
    else if (name.startsWith(`${basename(home)}.`)) owner = pid;
  }
  return owner;
}

/** A tree is 50-100 MB: of each kernel only the newest is kept. */
function giveBack(mine: string, home: string): void {
  for (const name of readdirSync(dirname(home))) {
    if (!name.endsWith('.tmp')) rmSync(join(dirname(home), name), { recursive: true, force: true });
  }
  if (!renamed(mine, home)) rmSync(mine, { recursive: true, force: true });
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
