/**
 * The folder in which make leaves its objects, kept so that another initramfs only links again. Its
 * path stays the same: objtool is built with it, and all that objtool has checked would be compiled
 * anew. One build at a time may have it, by a lock that ends with whoever holds it.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeAbandoned, removeUnused } from '../cache/entry.ts';
import { cacheFolder } from '../cache/folders.ts';
import { hashOf } from '../cache.ts';
import { startChild } from '../children.ts';

export async function withTree<T>(
  name: string,
  key: string,
  onWait: () => void,
  build: (tree: string) => Promise<T>,
): Promise<T> {
  const trees = cacheFolder(join('kernel-tree', name), { hasPlainPath: true });
  // another user's could be read only
  const home = join(trees, hashOf([key, process.getuid?.()]).slice(0, 32));
  mkdirSync(home, { recursive: true });
  const release = await lock(join(home, 'lock'), onWait);
  const tree = join(home, 'tree');
  const unfinished = join(home, 'unfinished');
  try {
    // A build that failed or was killed may have left half an object.
    if (existsSync(unfinished)) rmSync(tree, { recursive: true, force: true });
    writeFileSync(unfinished, '');
    mkdirSync(tree, { recursive: true });
    const result = await build(tree);
    rmSync(unfinished);
    // A tree is 50-100 MB: of each kernel only the latest are kept.
    removeUnused(home);
    removeAbandoned(trees);
    return result;
  } finally {
    release();
  }
}

const PATIENCE_MILLISECONDS = 200;

/**
 * flock(1) of util-linux has the kernel keep a lock for as long as the command that it starts
 * lives: a shell that ends when its input does, which is with us at the latest. Gives what lets go.
 */
async function lock(path: string, onWait: () => void): Promise<() => void> {
  const holder = startChild('flock', [path, 'sh', '-c', 'echo held; exec cat']);
  const waiting = setTimeout(onWait, PATIENCE_MILLISECONDS);
  let errors = '';
  holder.stderr.on('data', (text) => {
    errors += text;
  });
  try {
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once('data', () => resolve());
      holder.once('error', reject);
      holder.once('close', () => reject(new Error(`flock ${path} failed: ${errors.trim()}`)));
    });
  } finally {
    clearTimeout(waiting);
  }
  return () => holder.stdin.end();
}
