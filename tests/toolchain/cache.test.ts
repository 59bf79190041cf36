import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cached, cacheFolder, hashOf } from '../../src/toolchain/cache.ts';

let folder: string;
const before = process.env.MU_CACHE;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mu-cache-'));
  process.env.MU_CACHE = folder;
});

afterAll(() => {
  if (before === undefined) delete process.env.MU_CACHE;
  else process.env.MU_CACHE = before;
  rmSync(folder, { recursive: true });
});

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

test('what a killed process left is taken away', async () => {
  const abandoned = join(cacheFolder(), 'left', 'abc.999999999.01234567.tmp');
  mkdirSync(abandoned, { recursive: true });
  await cached('left', hashOf(['d']), () => {});
  expect(existsSync(abandoned)).toBe(false);
});

test('keys: values, their order and big integers count', () => {
  const keys = [hashOf([1n]), hashOf([1]), hashOf([2n]), hashOf([1, 2]), hashOf([2, 1])];
  expect(new Set(keys).size).toBe(keys.length);
});
