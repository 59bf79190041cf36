/** A file's content is known again without being read, and never mistaken for another. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { contentHash } from '../../src/toolchain/cache/content.ts';
import { cacheFolder } from '../../src/toolchain/cache.ts';
import { useCache } from './cacheFolders.ts';

useCache();
const folder = mkdtempSync(join(tmpdir(), 'mu-content-'));
afterAll(() => rmSync(folder, { recursive: true }));

const path = join(folder, 'model');
const bytes = Buffer.alloc(3 * 2 ** 20, 'weights ');

const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
const memos = () => readdirSync(cacheFolder('content'));

/**
 * Writes the file with one byte changed, at a place of which no sample is taken, all times but one
 * as they were.
 */
function replaceByte(byte: number): void {
  bytes[1_020_000] = byte;
  writeFileSync(path, bytes);
  utimesSync(path, 1, 1);
}

test('it is remembered once its time of change is not the present, and read again after a change', async () => {
  replaceByte(1);
  expect(await contentHash(path)).toBe(sha256(path));
  expect(memos()).toEqual([]);
  await sleep(2100);
  expect(await contentHash(path)).toBe(sha256(path));
  expect(memos().length).toBe(1);
  const memo = join(cacheFolder('content'), memos()[0]);
  writeFileSync(memo, 'f'.repeat(64));
  expect(await contentHash(path)).toBe('f'.repeat(64)); // so it is the memory that answers
  writeFileSync(memo, 'f'.repeat(63)); // cut off
  expect(await contentHash(path)).toBe(sha256(path));
  replaceByte(2);
  expect(await contentHash(path)).toBe(sha256(path));
  rmSync(path);
  replaceByte(3);
  expect(await contentHash(path)).toBe(sha256(path));
});

test('a small file is read each time', async () => {
  const small = join(folder, 'small');
  for (const text of ['one', 'two']) {
    writeFileSync(small, text);
    utimesSync(small, 1, 1);
    expect(await contentHash(small)).toBe(sha256(small));
  }
});

/**
 * Puts a folder into an ext2 image with one time for everything, and mounts it; false where that is
 * not possible.
 */
function mountImage(from: string, at: string): boolean {
  const image = `${at}.img`;
  rmSync(image, { force: true });
  writeFileSync(image, Buffer.alloc(8 * 2 ** 20));
  if (spawnSync('mke2fs', ['-q', '-d', from, image]).status !== 0) return false;
  for (const time of ['ctime', 'mtime']) {
    for (const field of [`${time} @1600000000`, `${time}_extra 0`]) {
      const set = ['-w', '-R', `set_inode_field model ${field}`, image];
      if (spawnSync('debugfs', set).status !== 0) return false;
    }
  }
  mkdirSync(at, { recursive: true });
  return spawnSync('mount', ['-o', 'loop,ro', image, at]).status === 0;
}

test('reproducible images: all that is known of two files is the same, but what is in them', async ({
  skip,
}) => {
  const [source, at] = [join(folder, 'source'), join(folder, 'image')];
  mkdirSync(source);
  const seen: string[] = [];
  const stamps: string[] = [];
  for (const byte of [4, 5]) {
    replaceByte(byte);
    copyFileSync(path, join(source, 'model'));
    if (!mountImage(source, at)) return skip('needs e2fsprogs, and the right to mount');
    try {
      const { size, ino, mtimeMs, ctimeMs } = statSync(join(at, 'model'));
      stamps.push([size, ino, mtimeMs, ctimeMs].join(' '));
      seen.push(await contentHash(join(at, 'model')));
      expect(seen.at(-1)).toBe(sha256(path));
    } finally {
      spawnSync('umount', [at]);
    }
  }
  expect(stamps[0]).toBe(stamps[1]);
  expect(seen[0]).not.toBe(seen[1]);
});
