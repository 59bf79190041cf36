/**
 * Images are the same to the byte, whatever the folders are called that they are made in and from.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeEsp } from '../../src/image/esp.ts';
import { writeGpt } from '../../src/image/gpt.ts';
import { writeBootIso, writeEfiIso } from '../../src/image/iso.ts';
import { runTool } from '../../src/toolchain/clang.ts';
import { ODD_NAME } from '../oddName.ts';
import { imageIn, LOADERS, missingTools, noise, temporaryFolder } from './loaders.ts';

const top = temporaryFolder();
const FOLDERS = ['plain', ODD_NAME].map((name) => join(top, name));
for (const folder of FOLDERS) mkdirSync(folder);

/** What `make` writes into each folder, which it is given. */
function made(make: (folder: string) => string): Buffer[] {
  return FOLDERS.map((folder) => readFileSync(make(folder)));
}

const tools = missingTools('mtools', 'xorriso');
const needs = tools.length > 0 ? ` (needs ${tools})` : '';
test.skipIf(needs !== '')(`partitions, disks, ISOs by UEFI${needs}`, () => {
  const [plain, odd] = made((folder) => {
    const file = join(folder, 'program');
    writeFileSync(file, noise(100_000, 1));
    const [esp, disk, iso] = ['esp.img', 'disk.img', 'cd.iso'].map((name) => join(folder, name));
    writeEsp(esp, [{ path: 'EFI/BOOT/BOOTX64.EFI', file }]);
    writeGpt(esp, disk);
    writeEfiIso(esp, iso);
    const all = join(folder, 'all');
    writeFileSync(all, Buffer.concat([esp, disk, iso].map((path) => readFileSync(path))));
    return all;
  });
  expect(plain.length).toBeGreaterThan(300_000);
  expect(odd.equals(plain)).toBe(true);
});

for (const { name, missing, make } of LOADERS) {
  test.skipIf(missing !== '')(`${name}: its parts, an ISO${missing}`, () => {
    const loader = make();
    const [plain, odd] = made((folder) => {
      const image = imageIn(folder);
      mkdirSync(join(folder, name));
      const parts = loader.makeParts(image, join(folder, name));
      const iso = join(folder, `${name}.iso`);
      writeBootIso(image, loader, iso);
      const all = join(folder, 'all');
      const files = [iso, parts.efiProgram, ...Object.values(parts.files)];
      writeFileSync(all, Buffer.concat(files.map((path) => readFileSync(path))));
      return all;
    });
    expect(plain.length).toBeGreaterThan(3_500_000);
    expect(odd.equals(plain)).toBe(true);
  });
}

test('compiler and linker', () => {
  const [plain, odd] = made((folder) => {
    const [source, object, elf] = ['x.c', 'x.o', 'x.elf'].map((name) => join(folder, name));
    writeFileSync(source, 'void _start(void) { for (;;); }\n');
    runTool('clang', ['-c', source, '-o', object]);
    runTool('lld', ['-static', '-o', elf, object]);
    return elf;
  });
  expect(plain.length).toBeGreaterThan(0);
  expect(odd.equals(plain)).toBe(true);
});
