/**
 * A cache that several users share, that cannot be written, or that has no room: by real users and
 * file systems, as root.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cacheFolders, onCacheNotice } from '../../src/toolchain/cache/folders.ts';
import { cached, cacheFolder, hashOf } from '../../src/toolchain/cache.ts';

const isRoot = process.getuid?.() === 0;
const [NOBODY, SOMEBODY] = [65534, 12345];

let folder: string;
let notices: string[];
const before = { ...process.env };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mu-shared-'));
  chmodSync(folder, 0o755);
  process.env.MU_CACHE = join(folder, 'shared');
  process.env.XDG_CACHE_HOME = join(folder, 'home');
  notices = [];
  onCacheNotice((line) => notices.push(line));
});

afterEach(() => {
  process.seteuid?.(0);
  for (const name of ['MU_CACHE', 'XDG_CACHE_HOME']) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
  spawnSync('umount', [join(folder, 'shared')]);
  rmSync(folder, { recursive: true, force: true });
});

const make = (text: string) => (into: string) => writeFileSync(join(into, 'result'), text);

/** A small file system of its own in place of the cache folder. */
function mountShared(options: string): void {
  mkdirSync(join(folder, 'shared'), { recursive: true });
  const args = ['-t', 'tmpfs', '-o', options, 'tmpfs', join(folder, 'shared')];
  expect(spawnSync('mount', args, { encoding: 'utf8' })).toMatchObject({ status: 0 });
}

const canMount = isRoot && spawnSync('unshare', ['-m', 'true']).status === 0;

describe.skipIf(!isRoot)('users (needs root, who can be any of them)', () => {
  test('one finds what another has made, and makes the rest for himself', async () => {
    const theirs = await cached('kind', hashOf(['a']), make('theirs'));
    mkdirSync(join(folder, 'home'));
    chmodSync(join(folder, 'home'), 0o777);
    process.seteuid?.(NOBODY);
    expect(await cached('kind', hashOf(['a']), make('mine'))).toEqual({
      folder: theirs.folder,
      wasCached: true,
    });
    const mine = await cached('kind', hashOf(['b']), make('mine'));
    expect(mine.folder).toBe(join(folder, 'home/muinference/kind', hashOf(['b']).slice(0, 32)));
    expect(notices).toEqual([
      `${join(folder, 'shared/kind')} cannot be written (EACCES): using ${join(folder, 'home/muinference/kind')}`,
    ]);
    expect(await cached('kind', hashOf(['b']), make('no'))).toEqual({ ...mine, wasCached: true });
  });

  test('damage in what is another’s is mended at home', async () => {
    const theirs = await cached('kind', hashOf(['a']), make('theirs'));
    writeFileSync(join(theirs.folder, 'result'), '');
    mkdirSync(join(folder, 'home'));
    chmodSync(join(folder, 'home'), 0o777);
    process.seteuid?.(NOBODY);
    const { folder: mended } = await cached('kind', hashOf(['a']), make('mine'));
    expect(mended).toContain(join(folder, 'home/'));
    expect(readFileSync(join(mended, 'result'), 'utf8')).toBe('mine');
  });

  test('who may write nothing of his own has a place among the temporary files, unless another has prepared it', async () => {
    mkdirSync(join(folder, 'shared'));
    const places = ['/var/tmp', tmpdir()].map((place) => join(place, `muinference-${SOMEBODY}`));
    for (const place of places) rmSync(place, { recursive: true, force: true });
    try {
      process.seteuid?.(SOMEBODY);
      expect(cacheFolder('kind')).toBe(join(places[0], 'kind'));
      expect(statSync(places[0])).toMatchObject({ uid: SOMEBODY, mode: 0o40700 });
      process.seteuid?.(0);
      chownSync(places[0], NOBODY, NOBODY);
      process.seteuid?.(SOMEBODY);
      expect(cacheFolder('kind')).toBe(join(places[1], 'kind'));
      process.seteuid?.(0);
      rmSync(places[1], { recursive: true });
      mkdirSync(join(folder, 'trap'));
      chmodSync(join(folder, 'trap'), 0o777);
      symlinkSync(join(folder, 'trap'), places[1]);
      process.seteuid?.(SOMEBODY);
      expect(() => cacheFolder('kind')).toThrow(
        /cannot be written.* is another user's: set MU_CACHE/,
      );
    } finally {
      process.seteuid?.(0);
      for (const place of places) rmSync(place, { recursive: true, force: true });
    }
  });
});

describe.skipIf(!canMount)('file systems (needs the right to mount)', () => {
  test('a home that is only read', async () => {
    mountShared('rw');
    const { folder: theirs } = await cached('kind', hashOf(['a']), make('theirs'));
    expect(spawnSync('mount', ['-o', 'remount,ro', join(folder, 'shared')]).status).toBe(0);
    const found = await cached('kind', hashOf(['a']), make('mine'));
    expect(found).toEqual({ folder: theirs, wasCached: true });
    expect(notices).toEqual([]);
    const { folder: mine } = await cached('kind', hashOf(['b']), make('mine'));
    expect(mine).toContain(join(folder, 'home/'));
    const places = ['shared/kind', 'home/muinference/kind'].map((place) => join(folder, place));
    expect(cacheFolders('kind')).toEqual(places);
    expect(notices[0]).toMatch(/shared\/kind cannot be written \(EROFS\): using .*home/);
  });

  test('no room: where, and what to do; nothing is left behind', async () => {
    mountShared('size=64k');
    const build = (into: string) => {
      for (let i = 0; i < 100; i++) writeFileSync(join(into, String(i)), Buffer.alloc(4096));
    };
    await expect(cached('kind', hashOf(['a']), build)).rejects.toThrow(
      /shared\/kind\/\w+.*: ENOSPC: no space left on device|ENOSPC.*shared\/kind/,
    );
    expect(readdirSync(join(folder, 'shared/kind'))).toEqual([]);
  });
});

test.each(['/proc/none', `/${'long'.repeat(100)}`])('%s is no folder: the next one', (none) => {
  process.env.MU_CACHE = none;
  expect(cacheFolder('kind')).toBe(join(folder, 'home/muinference/kind'));
});

test('what lies behind a folder that can be written is not looked at', async () => {
  const shared = process.env.MU_CACHE!;
  process.env.MU_CACHE = join(folder, 'home/muinference');
  await cached('kind', hashOf(['a']), make('elsewhere'));
  process.env.MU_CACHE = shared;
  expect(cacheFolders('kind')).toEqual([]);
  const mine = await cached('kind', hashOf(['a']), make('mine'));
  const expected = join(shared, 'kind', hashOf(['a']).slice(0, 32));
  expect(mine).toEqual({ folder: expected, wasCached: false });
  expect(cacheFolders('kind')).toEqual([join(shared, 'kind')]);
});

test('a path with a space is nothing for make', async () => {
  process.env.MU_CACHE = join(folder, 'my cache: 100 %');
  const plain = { hasPlainPath: true };
  const anywhere = await cached('kind', hashOf(['a']), make('text'));
  expect(anywhere.folder).toContain('my cache: 100 %');
  const { folder: tree } = await cached('tree', hashOf(['a']), make('text'), plain);
  expect(tree).toContain(join(folder, 'home/muinference/tree'));
  expect(notices).toEqual([
    `${join(process.env.MU_CACHE, 'tree')}: make cannot build in a path with spaces or such signs: ` +
      `using ${join(folder, 'home/muinference/tree')}`,
  ]);
  const again = await cached('tree', hashOf(['a']), make('text'), plain);
  expect(again).toEqual({ folder: tree, wasCached: true });
});
