/** An image that cannot be written: one line that says where, and the folder is as it was. */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { copyInto, writeAll } from '../../src/image/copy.ts';
import { fillFolder } from '../../src/stacks/fillFolder.ts';
import { mu } from '../cli/mu.ts';
import { makeTinyGguf } from '../model/tinyGguf.ts';

const top = mkdtempSync(join(tmpdir(), 'mu-full-'));
afterAll(() => rmSync(top, { recursive: true, force: true }));

const put = (name: string, text: string) => (folder: string) =>
  Promise.resolve(writeFileSync(join(folder, name), text));

test('what was built takes the place of what was there, the last one last; a failure leaves it', async () => {
  const folder = join(top, 'a/b');
  await fillFolder(folder, 'manifest', async (into) => {
    mkdirSync(join(into, 'esp'));
    await put('esp/old', 'one')(into);
    await put('manifest', 'one')(into);
  });
  await put('mine', 'mine')(folder);
  const failing = fillFolder(folder, 'manifest', async (into) => {
    await put('manifest', 'two')(into);
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(readFileSync(join(folder, 'manifest'), 'utf8')).toBe('one');
  await fillFolder(folder, 'manifest', async (into) => {
    mkdirSync(join(into, 'esp'));
    await put('esp/new', 'three')(into);
  });
  const all = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  expect(all).toEqual(['esp', 'esp/new', 'manifest', 'mine']);
});

test('a folder that was made for nothing is gone', async () => {
  const folder = join(top, 'nothing');
  await expect(fillFolder(folder, 'm', () => Promise.reject(new Error('no')))).rejects.toThrow(
    'no',
  );
  expect(readdirSync(top)).not.toContain('nothing');
});

test('mu compile says which file', async () => {
  const source = join(top, 'x.ts');
  writeFileSync(source, 'export function main(): void {}\n');
  const { code, stdout, stderr } = await mu(['compile', source, '-o', '/dev/full']);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^mu: \/dev\/full: ENOSPC: no space left on device.*; make room.*\n$/);
});

const canMount = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0;

describe.skipIf(!canMount)('a small disk (needs the right to mount)', () => {
  const disk = join(top, 'disk');
  beforeEach(() => {
    mkdirSync(disk, { recursive: true });
    const args = ['-t', 'tmpfs', '-o', 'size=200k', 'tmpfs', disk];
    expect(spawnSync('mount', args, { encoding: 'utf8' })).toMatchObject({ status: 0 });
  });
  afterEach(() => void spawnSync('umount', [disk]));

  test('mu build', async () => {
    const model = join(top, 'tiny.gguf');
    writeFileSync(model, makeTinyGguf({ dim: 128, hidden: 512 }));
    const image = join(disk, 'image');
    mkdirSync(image);
    writeFileSync(join(image, 'manifest.json'), 'of an earlier build');
    const options = ['--stack', 'unikernel', '--cpu', 'portable', '-o', image];
    const { code, stdout, stderr } = await mu(['build', model, ...options]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.split('\n').at(-2)).toMatch(
      new RegExp(`^mu: ${image}: ENOSPC: no space left on device, .*; make room`),
    );
    expect(readdirSync(image)).toEqual(['manifest.json']);
  });

  test('a piece that fits only in part is no success', () => {
    const source = join(top, 'source');
    writeFileSync(source, Buffer.alloc(300_000, 1));
    const write = (use: (file: number) => void) => {
      const file = openSync(join(disk, 'part'), 'w');
      try {
        use(file);
      } finally {
        closeSync(file);
      }
    };
    const full = /ENOSPC/;
    expect(() => write((file) => copyInto(file, 0, source))).toThrow(full);
    expect(() => write((file) => writeAll(file, readFileSync(source), 0))).toThrow(full);
  });
});
