/** Images are copied to a loop device as to any other disk; a file stands in for one that fails. */
import { spawnSync } from 'node:child_process';
import { openSync, readFileSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { flash, imageBytes } from '../../src/image/flash.ts';
import { mu } from '../cli/mu.ts';
import { temporaryFolder } from './loaders.ts';

const folder = temporaryFolder();

/** 5 MiB and 512 bytes, nothing in them repeats: two pieces. */
const bytes = Buffer.alloc(5 * 2 ** 20 + 512);
for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE((at * 2654435761) >>> 0, at);
bytes.writeUInt16LE(0xaa55, 510);
const image = join(folder, 'image.img');
writeFileSync(image, bytes);

function emptyDisk(name: string, size: number): string {
  const path = join(folder, name);
  writeFileSync(path, '');
  truncateSync(path, size);
  return path;
}

/** Path of a loop device over a file, undefined where there are none. */
function attachLoop(file: string): string | undefined {
  const run = spawnSync('losetup', ['-f', '--show', file], { encoding: 'utf8' });
  return run.status === 0 ? run.stdout.trim() : undefined;
}
const detach = (loop: string) => spawnSync('losetup', ['-d', loop]);

const probe = attachLoop(emptyDisk('probe', 2 ** 20));
if (probe) detach(probe);
const why = probe ? '' : ' (needs losetup, and the right to use it)';

test.skipIf(!probe)(`mu flash writes a disk, or says why not${why}`, async () => {
  const file = emptyDisk('disk', 8 * 2 ** 20);
  const loop = attachLoop(file)!;
  onTestFinished(() => void detach(loop));
  const refusals: [string[], RegExp][] = [
    [[], /does not call itself removable: --fixed-disk/],
    [['--fixed-disk'], /nobody can be asked whether \/dev\/loop\d+ may be overwritten: --yes/],
  ];
  for (const [args, message] of refusals) {
    const { code, stderr } = await mu(['flash', image, loop, ...args]);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  }
  const { code, stderr } = await mu(['flash', image, loop, '--fixed-disk', '--yes']);
  expect(stderr).toMatch(/, 5\.2 MB, to \/dev\/loop\d+: model unknown, 8\.4 MB, serial unknown\n/);
  expect(stderr).toMatch(/checking 5\.2 MB of 5\.2 MB \(100 %\)\n.*read back and compared/);
  expect(code, stderr).toBe(0);
  detach(loop);
  expect(readFileSync(file).subarray(0, bytes.length).equals(bytes)).toBe(true);
});

test('a disk that gives back something else', async () => {
  const disk = emptyDisk('bad', bytes.length);
  const worn = openSync(disk, 'r+');
  const writing = flash({
    image,
    disk,
    onProgress: (done, total, what) => {
      if (what === 'writing' && done === total) writeSync(worn, 'x', 1000);
    },
  });
  await expect(writing).rejects.toThrow(
    /gives back other bytes than were written: SHA-256 \w+, exp/,
  );
});

test('a disk that takes no more', async () => {
  await expect(flash({ image, disk: '/dev/full' })).rejects.toThrow(
    /^\/dev\/full: ENOSPC: .*; it holds a part of the image, if any/,
  );
});

test('stopped between two pieces', async () => {
  const abort = new AbortController();
  const disk = emptyDisk('stopped', bytes.length);
  const onProgress = () => abort.abort(new Error('half written'));
  const writing = flash({ image, disk, signal: abort.signal, onProgress });
  await expect(writing).rejects.toThrow('half written');
  expect(
    readFileSync(disk)
      .subarray(4 * 2 ** 20)
      .every((byte) => byte === 0),
  ).toBe(true);
});

test('a file that no firmware would start', async () => {
  await expect(imageBytes(import.meta.filename)).rejects.toThrow(
    /is no disk image: expected an .img/,
  );
});
