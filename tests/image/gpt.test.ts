/** Disk images: what firmware makes of them is tests/image/metal.test.ts. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeGpt } from '../../src/image/gpt.ts';
import { noise, temporaryFolder } from './loaders.ts';

const folder = temporaryFolder();
const partition = join(folder, 'partition');
const image = join(folder, 'disk.img');
const hasCheck = spawnSync('sfdisk', ['--version']).error === undefined;

test('holds the partition where its entry says, twice', () => {
  const content = noise(3 * 2 ** 20 + 512, 1);
  writeFileSync(partition, content);
  const bytes = writeGpt(partition, image);
  const disk = readFileSync(image);
  expect(disk.length).toBe(bytes);
  expect(bytes).toBeLessThan(content.length + 40_000);
  // UEFI 2.10, 5.3.2: both headers name each other and their own table; the entry (5.3.3) its first
  // and last sector.
  for (const at of [1, bytes / 512 - 1]) {
    const header = disk.subarray(at * 512, at * 512 + 512);
    expect(header.toString('latin1', 0, 8)).toBe('EFI PART');
    expect(Number(header.readBigUInt64LE(24))).toBe(at);
    expect(Number(header.readBigUInt64LE(32))).toBe(bytes / 512 - at);
    const entry = Number(header.readBigUInt64LE(72)) * 512;
    const first = Number(disk.readBigUInt64LE(entry + 32));
    const last = Number(disk.readBigUInt64LE(entry + 40));
    expect(disk.subarray(first * 512, (last + 1) * 512).equals(content)).toBe(true);
  }
  if (!hasCheck) return; // a further opinion, where fdisk is installed
  const check = spawnSync('sfdisk', ['--verify', image], { encoding: 'utf8' });
  expect(`${check.stdout}${check.stderr}`).toMatch(/No errors detected/);
});

test('a partition in half sectors is refused', () => {
  writeFileSync(partition, noise(1000, 2));
  expect(() => writeGpt(partition, image)).toThrow(/1000 bytes: expected whole sectors of 512/);
});
