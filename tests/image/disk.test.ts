/**
 * What is said of a disk, and who is found to use it, over trees of files that look like /sys and
 * /proc.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Disk, describeDisk, readDisk } from '../../src/image/disk.ts';
import { requireFit } from '../../src/image/flash.ts';
import { temporaryFolder } from './loaders.ts';

const folder = temporaryFolder();
const MOUNTS = '27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n';
const SWAPS = 'Filename\tType\tSize\tUsed\tPriority\n';

let trees = 0;

/**
 * Files below /sys/devices/usb1, whose block device is sdb with two partitions. device: what is
 * asked for.
 */
function read(
  files: Record<string, string> = {},
  proc: Record<string, string> = {},
  device = '',
): Disk {
  const root = join(folder, String(trees++));
  const home = 'sys/devices/usb1/host0/block/sdb';
  const all: Record<string, string> = {
    'sys/devices/usb1/serial': 'AA0001\n',
    [`${home}/dev`]: '8:16\n',
    [`${home}/size`]: '8388608\n',
    [`${home}/removable`]: '1\n',
    [`${home}/ro`]: '0\n',
    [`${home}/device/model`]: 'Flash Disk      \n',
    [`${home}/sdb1/dev`]: '8:17\n',
    [`${home}/sdb1/partition`]: '1\n',
    [`${home}/sdb2/dev`]: '8:18\n',
    [`${home}/sdb2/partition`]: '2\n',
    'proc/self/mountinfo': MOUNTS,
    'proc/swaps': SWAPS,
  };
  for (const [name, text] of Object.entries(files)) all[`${home}/${name}`] = text;
  for (const [name, text] of Object.entries(proc)) all[`proc/${name}`] = text;
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return describeDisk(
    `/dev/${device || 'sdb'}`,
    join(root, home, device),
    join(root, 'sys'),
    join(root, 'proc'),
  );
}

test('a USB stick that nobody uses', () => {
  expect(read()).toEqual({
    path: '/dev/sdb',
    bytes: 4294967296,
    model: 'Flash Disk',
    serial: 'AA0001',
    isRemovable: true,
    isReadOnly: false,
    uses: [],
  });
  expect(() => requireFit('i.img', 1e6, read(), false)).not.toThrow();
});

describe('in use', () => {
  test.each([
    [
      'a mounted partition',
      {},
      { 'self/mountinfo': `${MOUNTS}40 27 8:17 / /mnt rw - vfat /dev/sdb1 rw\n` },
      '/dev/sdb1 is mounted on /mnt',
    ],
    [
      'the disk itself',
      {},
      { 'self/mountinfo': `${MOUNTS}40 27 8:16 / /mnt rw - vfat /dev/sdb rw\n` },
      '/dev/sdb is mounted on /mnt',
    ],
    [
      'btrfs, whose number is its own',
      {},
      { 'self/mountinfo': `${MOUNTS}40 27 0:44 / /mnt rw shared:7 - btrfs /dev/sdb2 rw\n` },
      '/dev/sdb2 is mounted on /mnt',
    ],
    ['swap', {}, { swaps: `${SWAPS}/dev/sdb2 partition 1048572 0 -2\n` }, '/dev/sdb2 is swap'],
    [
      'LVM on a partition',
      { 'sdb2/holders/dm-0': '' },
      {},
      '/dev/sdb2 is a part of /dev/dm-0 (LVM, RAID or encryption)',
    ],
    [
      'RAID on the disk',
      { 'holders/md0': '' },
      {},
      '/dev/sdb is a part of /dev/md0 (LVM, RAID or encryption)',
    ],
  ])('%s', (_name, files, proc, use) => {
    const disk = read(files, proc as Record<string, string>);
    expect(disk.uses).toEqual([use]);
    expect(() => requireFit('i.img', 1, disk, true)).toThrow(`/dev/sdb is in use:\n  ${use}\n`);
  });
});

test.each([
  [{ removable: '0\n' }, 1e6, 'does not call itself removable: --fixed-disk'],
  [{ ro: '1\n' }, 1e6, '/dev/sdb is write-protected'],
  [{ size: '1000\n' }, 512_001, '/dev/sdb has 512000 bytes, i.img 512001: expected a larger disk'],
])('refused: %j', (files, bytes, message) => {
  expect(() => requireFit('i.img', bytes, read(files as Record<string, string>), false)).toThrow(
    message,
  );
});

test('a fixed disk, if that is what is wanted', () => {
  expect(() => requireFit('i.img', 1e6, read({ removable: '0\n' }), true)).not.toThrow();
});

test('a partition is not a disk, nor is a file', () => {
  expect(() => read({}, {}, 'sdb1')).toThrow(
    '/dev/sdb1 is a partition: expected the whole disk, /dev/sdb',
  );
  expect(() => readDisk(import.meta.filename)).toThrow(/is no disk: expected a device like/);
});
