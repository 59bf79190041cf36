/** The layout of ISO images, as other programs read it. That they boot: boot.test.ts. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeBootIso } from '../../src/image/iso.ts';
import { imageIn, LOADERS, noise, temporaryFolder } from './loaders.ts';

const top = temporaryFolder();

const absent = ['fdisk', 'file'].filter((name) => spawnSync(name, ['--version']).error);
const noLooks = absent.length > 0 ? ` (needs ${absent.join(', ')})` : '';

/** Runs a program that looks at an image; gives its standard output. */
function look(program: string, ...args: string[]): string {
  const run = spawnSync(program, args, { encoding: 'utf8', timeout: 30_000 });
  if (run.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${run.stderr}`);
  return run.stdout;
}

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

for (const { name, missing, make } of LOADERS) {
  describe.skipIf(missing !== '')(`an ISO with ${name}${missing}`, () => {
    const folder = join(top, name);
    mkdirSync(folder);
    const iso = join(folder, 'out.iso');
    const write = () => writeBootIso(imageIn(folder), make(), iso);

    test('holds what it was given, in 6 MB', () => {
      const bytes = write();
      expect(bytes).toBe(statSync(iso).size);
      expect(bytes).toBeLessThanOrEqual(6_000_000);
      expect(bytes - 3_500_000, 'loader and file system').toBeLessThanOrEqual(600_000);
      const extract = ['-osirrox', 'on', '-indev', iso, '-extract', '/', join(folder, 'tree')];
      look('xorriso', ...extract, '-rollback_end');
      for (const [there, here] of [
        ['kernel', 'k'],
        ['module0', 'i'],
        ['module1', 'p'],
      ]) {
        expect(sha256(join(folder, 'tree', there)), there).toBe(sha256(join(folder, here)));
      }
    });

    test('boots from CD by El Torito, on BIOS and UEFI; the latter from the partition', () => {
      const report = look('xorriso', '-indev', iso, '-report_el_torito', 'plain');
      expect(report).toMatch(/boot img : {3}1 {2}BIOS {2}y {3}none {2}0x0000 {2}0x00 {6}4 /);
      const [, sectors, block] =
        /boot img : {3}2 {2}UEFI {2}y {3}none\s+0x0000\s+0x00\s+(\d+)\s+(\d+)/.exec(report)!;
      const table = look('xorriso', '-indev', iso, '-report_system_area', 'plain');
      const [, start, length] = /partition +: +2 +0x00 +0xef +(\d+) +(\d+)/.exec(table)!;
      expect([Number(block) * 4, Number(sectors)]).toEqual([Number(start), Number(length)]);
    });

    test.skipIf(noLooks !== '')(
      `is a disk with an active and an EFI system partition${noLooks}`,
      () => {
        const table = look('fdisk', '-l', '-o', 'Boot,Start,Sectors,Id', iso);
        const rows = table.split('\n').map((line) => line.trim().split(/ +/));
        const [first, second] = rows.slice(rows.findIndex(([word]) => word === 'Boot') + 1);
        expect(first).toEqual(['*', '0', second[0], '83']);
        expect(second[2]).toBe('ef');
        expect((Number(second[0]) + Number(second[1])) * 512).toBe(statSync(iso).size);
        const offset = Number(second[0]) * 512;
        const listing = look('mdir', '-i', `${iso}@@${offset}`, '-b', '-/', '::');
        expect(listing.trim().split('\n')).toEqual([
          '::/EFI/',
          '::/EFI/BOOT/',
          '::/EFI/BOOT/BOOTX64.EFI',
        ]);
        const program = join(folder, 'program.efi');
        look('mcopy', '-n', '-i', `${iso}@@${offset}`, '::/EFI/BOOT/BOOTX64.EFI', program);
        expect(look('file', '-b', program)).toMatch(/PE32\+ executable .*EFI application.* x86-64/);
      },
    );

    test('the same files give the same bytes, in another folder at another time', async () => {
      const other = join(folder, 'other=folder\\2');
      mkdirSync(other);
      const image = imageIn(other);
      for (const file of [image.kernel, ...image.modules]) {
        utimesSync(file, 1e9, 1e9);
        chmodSync(file, 0o700);
      }
      write();
      await new Promise((resolve) => setTimeout(resolve, 2100)); // FAT counts two seconds at a time
      const zone = process.env.TZ;
      process.env.TZ = 'Pacific/Auckland';
      try {
        writeBootIso(image, make(), join(other, 'out.iso'));
      } finally {
        if (zone === undefined) delete process.env.TZ;
        else process.env.TZ = zone;
      }
      expect(readFileSync(iso).equals(readFileSync(join(other, 'out.iso')))).toBe(true);
      writeFileSync(image.modules[1], noise(1_200_000, 4));
      writeBootIso(image, make(), join(other, 'out.iso'));
      expect(readFileSync(iso).equals(readFileSync(join(other, 'out.iso')))).toBe(false);
    });

    test('SOURCE_DATE_EPOCH is every date', () => {
      process.env.SOURCE_DATE_EPOCH = '1000000000';
      try {
        write();
      } finally {
        delete process.env.SOURCE_DATE_EPOCH;
      }
      expect(look('xorriso', '-indev', iso, '-pvd_info')).toContain(
        'Creation Time: 2001090901464000',
      );
      const list = look('xorriso', '-indev', iso, '-lsl', '/').trim().split('\n');
      expect(list.length).toBeGreaterThanOrEqual(5);
      for (const line of list.slice(1)) expect(line).toMatch(/ 0 +0 .* Sep {2}9 {2}2001 /);
      expect(look('mdir', '-i', `${iso}@@${espOffset(iso)}`, '::/EFI/BOOT')).toContain(
        '2001-09-09',
      );
    });
  });
}

/**
 * Where partition 2 begins (MBR: 16 bytes per partition from 446, its first sector in the third
 * word).
 */
function espOffset(iso: string): number {
  return readFileSync(iso).readUInt32LE(446 + 16 + 8) * 512;
}
