/** A pack is of the model that it is asked for, whatever happened to file and cache since. */
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { preparePack } from '../../src/stacks/prepare.ts';
import { hashFile } from '../../src/toolchain/cache.ts';
import { makeTinyGguf } from '../model/tinyGguf.ts';
import { useCache } from '../toolchain/cacheFolders.ts';

useCache();
const folder = mkdtempSync(join(tmpdir(), 'mu-prepare-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A model with a time that says nothing. */
function put(name: string, seed: number): string {
  const path = join(folder, name);
  rmSync(path, { force: true });
  writeFileSync(path, makeTinyGguf({ seed }));
  utimesSync(path, 1, 1);
  return path;
}

test('a model that is replaced by another of the same size and time has another pack', async () => {
  const one = await preparePack({ model: put('model.gguf', 1) });
  const two = await preparePack({ model: put('model.gguf', 2) });
  expect(two.bytes).toBe(one.bytes);
  expect(two.sha256).not.toBe(one.sha256);
  const again = await preparePack({ model: put('model.gguf', 1) });
  expect(again).toMatchObject({ wasCached: true, path: one.path, sha256: one.sha256 });
});

test('a model that has only been moved keeps its pack', async () => {
  const pack = await preparePack({ model: put('model.gguf', 3) });
  const elsewhere = join(mkdtempSync(join(folder, 'moved-')), 'model.gguf');
  writeFileSync(elsewhere, readFileSync(join(folder, 'model.gguf')));
  expect(await preparePack({ model: elsewhere })).toMatchObject({
    path: pack.path,
    wasCached: true,
  });
});

test('a model that changes while it is read gives no pack', async () => {
  const model = put('model.gguf', 4);
  let isChanged = false;
  const onProgress = () => {
    if (!isChanged) utimesSync(model, 2, 2);
    isChanged = true;
  };
  await expect(preparePack({ model, onProgress })).rejects.toThrow(
    `${model} was changed while it was read: try again`,
  );
  expect((await preparePack({ model })).wasCached).toBe(false);
});

test.each([
  ['model.pack cut off', (pack: string) => truncateSync(pack, 1000)],
  ['model.pack gone', (pack: string) => rmSync(pack)],
  ['pack.json empty', (pack: string) => writeFileSync(join(pack, '../pack.json'), '')],
  ['pack.json gone', (pack: string) => rmSync(join(pack, '../pack.json'))],
])('a damaged pack is made anew: %s', async (_, damage) => {
  const model = put('model.gguf', 5);
  const { path, sha256 } = await preparePack({ model });
  damage(path);
  expect(await preparePack({ model })).toMatchObject({ path, sha256, wasCached: false });
  expect(await hashFile(path)).toBe(sha256);
  expect(readdirSync(join(path, '..')).sort()).toEqual(['.entry.json', 'model.pack', 'pack.json']);
});
