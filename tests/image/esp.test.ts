import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planFat, writeEsp } from '../../src/image/esp.ts';
import { missingTools, noise, temporaryFolder } from './loaders.ts';

const folder = temporaryFolder();
const noTools = missingTools('mtools').length > 0 ? ' (needs mtools)' : '';
const hasCheck = spawnSync('fsck.fat', ['--help']).error === undefined;

/** Sizes of one program: nothing, small, on both sides of what FAT12 holds, more than 32 MB. */
const SIZES = [0, 1, 245_760, 2_050_000, 2_060_000, 2_090_000, 2_120_000, 5_000_000, 40_000_000];

test.skipIf(noTools !== '')(
  `holds its files and hardly more, whatever their size${noTools}`,
  () => {
    const image = join(folder, 'esp.img');
    const file = join(folder, 'program');
    const small = join(folder, 'small');
    writeFileSync(small, 'some text');
    for (const size of SIZES) {
      const content = noise(size, size);
      writeFileSync(file, content);
      const files = [
        { path: 'EFI/BOOT/BOOTX64.EFI', file },
        { path: 'text.txt', file: small },
      ];
      const bytes = writeEsp(image, files);
      expect(statSync(image).size).toBe(bytes);
      expect(bytes % 2048).toBe(0);
      // Two tables of 2 bytes per cluster, and FAT16's least size.
      expect(bytes).toBeLessThanOrEqual(Math.max(size * 1.01 + 20_000, size > 2e6 ? 2_200_000 : 0));
      const back = join(folder, 'back');
      const copy = ['-n', '-o', '-i', image, '::/EFI/BOOT/BOOTX64.EFI', back];
      expect(spawnSync('mcopy', copy, { encoding: 'utf8' })).toMatchObject({
        status: 0,
        stderr: '',
      });
      expect(readFileSync(back).equals(content), `${size} bytes`).toBe(true);
      const type = spawnSync('mtype', ['-i', image, '::/text.txt'], { encoding: 'utf8' });
      expect(type.stdout).toBe('some text');
      if (!hasCheck) continue; // a further opinion, where dosfstools is installed
      const check = spawnSync('fsck.fat', ['-n', image], { encoding: 'utf8' });
      expect(check.stdout, `${size} bytes`).toMatch(/4 files, \d+\/\d+ clusters\n$/);
      expect(check.status).toBe(0);
    }
  },
);

test('what no FAT16 holds is refused', () => {
  expect(planFat([2 ** 31 - 2 ** 24], 2).clusterSectors).toBe(64);
  expect(() => planFat([2 ** 31], 2)).toThrow(/2147483648 bytes are too many .*less than 2 GiB/);
  expect(() => planFat(Array(20).fill(1), 2)).toThrow(/holds 16 files and folders/);
});
