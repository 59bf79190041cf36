import { expect, test } from 'vitest';
import { findLoader } from '../../src/image/findLoader.ts';
import { grubCommands } from '../../src/image/grub.ts';
import { findLimine } from '../../src/pull/limine.ts';
import {
  NAMED_IMAGE as image,
  LIMINE_FOLDER,
  limine,
  missingTools,
  NO_LIMINE,
  temporaryFolder,
} from './loaders.ts';

test('GRUB’s commands: no menu, no shell, no system but Linux', () => {
  expect(() => grubCommands({ ...image, protocol: 'limine' })).toThrow('GRUB does not know');
  expect(grubCommands(image)).toBe(`search.fs_label MUINFERENCE root
set gfxpayload=auto
linux /kernel 'quiet' '--' 'shell'
initrd /module0 /module1
boot
`);
  expect(grubCommands({ ...image, modules: [], commandLine: "a='$b'; c" })).toContain(
    "linux /kernel 'a='\\''$b'\\'';' 'c'\nboot",
  );
  expect(() => grubCommands({ ...image, commandLine: 'a\nhalt' })).toThrow(/^commandLine "a\\n/);
});

/** Runs `body` where nothing names a Limine and none has been pulled. */
function withoutLimine(body: () => void): void {
  const { MU_CACHE, LIMINE_DIR } = process.env;
  process.env.MU_CACHE = temporaryFolder();
  delete process.env.LIMINE_DIR;
  try {
    body();
  } finally {
    if (MU_CACHE === undefined) delete process.env.MU_CACHE;
    else process.env.MU_CACHE = MU_CACHE;
    if (LIMINE_DIR !== undefined) process.env.LIMINE_DIR = LIMINE_DIR;
  }
}

const tools = missingTools('xorriso', 'mtools', 'grub', 'grub-bios', 'grub-uefi').join(', ');
const installed = findLimine({ folders: ['/usr/share/limine', '/usr/local/share/limine'] });
const reason = tools ? ` (needs ${tools})` : installed ? ' (Limine is installed here)' : '';

test.skipIf(reason !== '')(`without Limine it is GRUB, and one line says so${reason}`, () => {
  withoutLimine(() => {
    const said: string[] = [];
    expect(findLoader({}, (line) => said.push(line))).toMatchObject({
      name: 'GRUB',
      version: '2.06',
    });
    expect(said).toEqual([
      'Limine is not here (--limine DIR, or mu pull limine): using GRUB from Debian',
    ]);
  });
});

const noLimine = limine ? '' : ` ${NO_LIMINE}`;
test.skipIf(!limine || tools !== '')(`with it there is nothing to say${noLimine}`, () => {
  const said: string[] = [];
  const loader = findLoader({ limine: LIMINE_FOLDER }, (line) => said.push(line));
  expect(loader).toMatchObject({ name: 'Limine', version: limine!.version });
  expect(said).toEqual([]);
});
