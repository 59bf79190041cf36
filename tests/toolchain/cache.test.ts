import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { removeUnused } from '../../src/toolchain/cache/entry.ts';
import { temporaryName } from '../../src/toolchain/cache/owner.ts';
import { cached, cacheFolder, hashOf } from '../../src/toolchain/cache.ts';
import { useCache } from './cacheFolders.ts';

useCache();

test('is built once, then found', async () => {
  let builds = 0;
  const build = (into: string) => {
    builds++;
    writeFileSync(join(into, 'result'), 'made');
  };
  const first = await cached('thing', hashOf(['a']), build);
  const second = await cached('thing', hashOf(['a']), build);
  expect([first.wasCached, second.wasCached, builds]).toEqual([false, true, 1]);
  expect(second.folder).toBe(first.folder);
  expect(first.folder.startsWith(cacheFolder())).toBe(true);
});

test('two that build at once both get the whole result, and leave nothing else', async () => {
  const build = async (into: string) => {
    writeFileSync(join(into, 'one'), '1');
    await new Promise((resolve) => setTimeout(resolve, 20));
    writeFileSync(join(into, 'two'), '2');
  };
  const both = await Promise.all([
    cached('race', hashOf(['b']), build),
    cached('race', hashOf(['b']), build),
  ]);
  for (const { folder } of both) expect(readFileSync(join(folder, 'two'), 'utf8')).toBe('2');
  expect(readdirSync(join(cacheFolder(), 'race')).length).toBe(1);
});

test('a failed build leaves nothing', async () => {
  const build = (into: string) => {
    writeFileSync(join(into, 'half'), '');
    throw new Error('no');
  };
  await expect(cached('fails', hashOf(['c']), build)).rejects.toThrow('no');
  expect(readdirSync(join(cacheFolder(), 'fails'))).toEqual([]);
  expect(existsSync(join(cacheFolder(), 'fails', hashOf(['c']).slice(0, 32)))).toBe(false);
});

test('what a killed process left is taken away; what a living one makes, here or elsewhere, is not', async () => {
  const home = join(cacheFolder(), 'left');
  const living = temporaryName(join(home, 'abc'));
  const [, pid, born, where] = /\.(\d+)\.(\d+)\.(\w+)\.\w+\.tmp$/.exec(living)!;
  expect(Number(pid)).toBe(process.pid);
  const name = (id: string, start: string, place: string) =>
    join(home, `abc.${id}.${start}.${place}.01234567.tmp`);
  const dead = name('999999999', born, where);
  const reused = name(pid, '1', where);
  const elsewhere = name('999999999', born, '0'.repeat(8));
  const [longAgo, olderFormat] = [name('1', born, '1'.repeat(8)), join(home, 'a.1.01234567.tmp')];
  const all = [living, dead, reused, elsewhere, longAgo, olderFormat];
  for (const path of all) mkdirSync(path, { recursive: true });
  for (const path of [longAgo, olderFormat]) utimesSync(path, 1e9, 1e9);
  await cached('left', hashOf(['d']), () => {});
  expect(all.filter((path) => existsSync(path))).toEqual([living, elsewhere]);
});

test.each([
  ['cut off', (file: string) => truncateSync(file, 2)],
  ['emptied', (file: string) => writeFileSync(file, '')],
  ['of the same size', (file: string) => writeFileSync(file, 'MADE')],
  ['gone', (file: string) => rmSync(file)],
  ['a list that is cut off', (file: string) => truncateSync(join(file, '../.entry.json'), 9)],
  ['a list that is gone', (file: string) => rmSync(join(file, '../.entry.json'))],
])('what was damaged since is made anew: %s', async (how, damage) => {
  const key = hashOf(['damaged', how]);
  const build = (into: string) => {
    writeFileSync(join(into, 'result'), 'made');
    mkdirSync(join(into, 'tree'));
  };
  const { folder } = await cached('damaged', key, build);
  damage(join(folder, 'result'));
  expect(await cached('damaged', key, build)).toEqual({ folder, wasCached: false });
  expect(readFileSync(join(folder, 'result'), 'utf8')).toBe('made');
  expect(await cached('damaged', key, build)).toEqual({ folder, wasCached: true });
  expect(readdirSync(join(folder, '..')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('two that find it damaged at once', async () => {
  const key = hashOf(['twice']);
  const build = (into: string) => writeFileSync(join(into, 'result'), 'made');
  const { folder } = await cached('damaged', key, build);
  rmSync(join(folder, 'result'));
  await Promise.all([cached('damaged', key, build), cached('damaged', key, build)]);
  expect(readFileSync(join(folder, 'result'), 'utf8')).toBe('made');
});

test('checkouts that share a cache keep theirs; what nobody used for long goes', async () => {
  const entries: string[] = [];
  for (let i = 0; i < 6; i++) {
    const build = (into: string) => writeFileSync(join(into, 'pack'), String(i));
    entries.push((await cached('packs', hashOf(['pack', i]), build)).folder);
  }
  const [newest, ...others] = entries.reverse();
  removeUnused(newest);
  expect(others.every((folder) => existsSync(folder))).toBe(true); // all of them within the hour
  const hour = 3600;
  others.forEach((folder, i) => {
    const then = Date.now() / 1000 - 2 * hour - i;
    utimesSync(join(folder, '.entry.json'), then, then);
  });
  await cached('packs', hashOf(['pack', 0]), () => expect.unreachable()); // the oldest is used
  removeUnused(newest);
  const left = [newest, ...others].filter((folder) => existsSync(folder));
  expect(left).toEqual([newest, others[0], others[4]]);
});

test('keys: values, their order and big integers count', () => {
  const keys = [hashOf([1n]), hashOf([1]), hashOf([2n]), hashOf([1, 2]), hashOf([2, 1])];
  expect(new Set(keys).size).toBe(keys.length);
});
