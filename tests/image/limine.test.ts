import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { limineConfiguration, limineSystemArea } from '../../src/image/limine.ts';
import type { BootImage } from '../../src/image/loader.ts';
import { requireTool } from '../../src/toolchain/find.ts';
import { NAMED_IMAGE as image, limine, NO_LIMINE, temporaryFolder } from './loaders.ts';

test('limine.conf: at once, silently, kernel and modules in order', () => {
  expect(limineConfiguration(image)).toBe(`timeout: 0
quiet: yes
editor_enabled: no

/Stories
protocol: linux
kernel_path: boot():/kernel
module_path: boot():/module0
module_path: boot():/module1
cmdline: quiet -- shell
`);
});

test('limine.conf: our own ELF; the pack in the ISO, or beside an EFI application', () => {
  const ours: BootImage = { ...image, protocol: 'limine', modules: ['/a/model.pack'] };
  const lines = limineConfiguration({ ...ours, commandLine: '' }).split('\n');
  expect(lines.slice(3)).toEqual([
    ...['serial: yes', 'serial_baudrate: 115200', '', '/Stories', 'protocol: limine'],
    ...['kernel_path: boot():/kernel', 'module_path: boot():/module0', ''],
  ]);
  expect(limineConfiguration({ ...ours, efiProgram: 'e' })).toContain(
    '\nmodule_path: boot(2):/model.pack\n',
  );
});

test('limine.conf: a command line that it could not say is refused, a title is only a label', () => {
  const refused = /^commandLine "a.*": limine.conf takes no line break/;
  for (const commandLine of ['a\ntimeout: 9', 'a\r', 'a$' + '{ARCH}']) {
    expect(() => limineConfiguration({ ...image, commandLine })).toThrow(refused);
  }
  const text = limineConfiguration({ ...image, title: '/+a\nkernel_path: $' + '{X} 1.5 (é)' });
  expect(text.split('\n')[4]).toBe('/__a_kernel_path_ __X_ 1.5 (_)');
});

test('a header that is none of Limine’s is refused', () => {
  /** The text of a header; `patch` changes its boot sector. */
  const header = (bytes: number, patch: (sector: Buffer) => void = () => {}) => {
    const array = Buffer.alloc(bytes);
    if (bytes >= 512) array.writeUInt16BE(0x55aa, 510);
    patch(array);
    return `const uint8_t data[] = {${[...array].map((byte) => `0x${byte.toString(16).padStart(2, '0')}`)}};`;
  };
  const noBootSector = 'begin with no boot sector of a kind we know';
  expect(() => limineSystemArea(header(1024))).not.toThrow();
  expect(() => limineSystemArea(header(512))).toThrow(`found 512 bytes that ${noBootSector}`);
  expect(() => limineSystemArea(header(1024, (sector) => sector.fill(0, 510)))).toThrow(
    noBootSector,
  );
  // Code where this version keeps the second stage's place: another layout.
  expect(() => limineSystemArea(header(1024, (sector) => sector.fill(1, 0x1b7, 0x1b8)))).toThrow(
    noBootSector,
  );
  expect(() => limineSystemArea(header(40_000))).toThrow(/found 40000 bytes; expected/);
});

const installer = limine && join(limine.folder, 'limine.c');
const missing = !limine
  ? ` ${NO_LIMINE}`
  : !existsSync(installer!) || !existsSync('/usr/include/stdio.h')
    ? ' (needs limine.c beside the release, and libc6-dev)'
    : '';

describe.skipIf(missing !== '')(`Limine’s own installer${missing}`, () => {
  test('writes the same first sectors', () => {
    const folder = temporaryFolder();
    const program = join(folder, 'limine');
    execFileSync(requireTool('clang')[0], ['-w', '-o', program, installer!]);
    // An empty disk with one active partition, far enough from its start for the installer's taste.
    const disk = Buffer.alloc(1 << 20);
    disk.set([0x80, 0, 0, 0, 0x83, 0, 0, 0], 446);
    disk.writeUInt32LE(128, 446 + 8);
    disk.writeUInt32LE(128, 446 + 12);
    disk.writeUInt16BE(0x55aa, 510);
    const path = join(folder, 'disk');
    writeFileSync(path, disk);
    execFileSync(program, ['bios-install', path], { stdio: 'pipe', timeout: 30_000 });
    const theirs = readFileSync(path).subarray(0, 32_768);
    const ours = limineSystemArea(readFileSync(limine!.biosDisk, 'utf8'));
    // Not ours to write: a date that some BIOSes keep (6 bytes from 218), and the partition table
    // (from 440).
    for (const area of [theirs, ours]) area.fill(0, 218, 224).fill(0, 440, 510);
    expect(ours.equals(theirs)).toBe(true);
    expect(theirs.subarray(512).some((byte) => byte !== 0)).toBe(true);
  });
});
