/**
 * Limine (https://github.com/limine-bootloader/limine, BSD-2-Clause) as the loader of an image. Its
 * files are used as they are; only the first stage on a disk is told where the second one lies, as
 * Limine's own `bios-install` would.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { LimineRelease } from '../pull/limine.ts';
import type { BootImage, Loader, LoaderParts } from './loader.ts';

export function limineLoader(release: LimineRelease): Loader {
  return {
    name: 'Limine',
    version: release.version,
    makeParts: (image, folder) => makeParts(release, image, folder),
  };
}

function makeParts(release: LimineRelease, image: BootImage, folder: string): LoaderParts {
  const configuration = join(folder, 'limine.conf');
  writeFileSync(configuration, limineConfiguration(image));
  const systemArea = join(folder, 'system-area.bin');
  writeFileSync(systemArea, limineSystemArea(readFileSync(release.biosDisk, 'utf8')));
  return {
    files: {
      'limine.conf': configuration,
      'limine-bios.sys': release.biosSystem,
      'limine-bios-cd.bin': release.biosCd,
    },
    biosImage: 'limine-bios-cd.bin',
    efiProgram: release.efiProgram,
    diskBoot: ['-G', systemArea],
  };
}

/** limine.conf (Limine 8, CONFIG.md): boots at once, without a word, and offers no editor. */
export function limineConfiguration(image: BootImage): string {
  const { protocol, title, commandLine = '', modules, efiProgram } = image;
  if (/[\r\n]|\$\{/.test(commandLine)) {
    const quoted = JSON.stringify(commandLine);
    throw new Error(`commandLine ${quoted}: limine.conf takes no line break and no \${`);
  }
  // a model may have any name; / and $ mean something here
  const label = title.replace(/[^\w .,()-]/g, '_');
  const paths = efiProgram
    ? modules.map((file) => `boot(2):/${basename(file)}`) // the EFI system partition
    : modules.map((_, i) => `boot():/module${i}`);
  return [
    ...['timeout: 0', 'quiet: yes', 'editor_enabled: no'],
    // Its last words too go where ours go, at the same speed.
    ...(protocol === 'limine' ? ['serial: yes', 'serial_baudrate: 115200'] : []),
    ...['', `/${label}`, `protocol: ${protocol}`, 'kernel_path: boot():/kernel'],
    ...paths.map((path) => `module_path: ${path}`),
    ...(commandLine === '' ? [''] : [`cmdline: ${commandLine}`, '']),
  ].join('\n');
}

const SECTOR = 512;
/**
 * Where the boot sector keeps u16 bytes of each half of the second stage, then u64 offset of each.
 */
const SECOND_STAGE_FIELDS = 0x1a4;
const SECOND_STAGE_FIELDS_END = 0x1b8;
/** ISO 9660 leaves 32 KiB to the system; its first sector is the MBR. */
const SYSTEM_AREA = 32_768;

/**
 * The first sectors of a disk that BIOS starts: Limine's boot sector, and from the next sector on
 * its second stage, as `limine bios-install` writes them on a disk with an MBR. The partition table
 * is left to xorriso. `header` is the text of limine-bios-hdd.h, one array of bytes: boot sector,
 * then second stage.
 */
export function limineSystemArea(header: string): Buffer {
  const bytes = Buffer.from(
    [...header.matchAll(/0x([0-9a-f]{2})\b/gi)].map(([byte]) => Number(byte)),
  );
  const isBootSector =
    bytes.length > SECTOR &&
    bytes.readUInt16BE(510) === 0x55aa &&
    bytes.subarray(SECOND_STAGE_FIELDS, SECOND_STAGE_FIELDS_END).every((byte) => byte === 0);
  if (!isBootSector || bytes.length > SYSTEM_AREA) {
    throw new Error(
      `limine-bios-hdd.h: found ${bytes.length} bytes${isBootSector ? '' : ' that begin with no boot sector of a kind we know'}; ` +
        `expected a boot sector and a second stage, ${SYSTEM_AREA} bytes at the most`,
    );
  }
  // In two halves, which only matters where a GPT stands between them: here one follows the other.
  const sectors = Math.ceil(bytes.length / SECTOR) - 1;
  const first = Math.ceil(sectors / 2) * SECTOR;
  const area = Buffer.alloc(SYSTEM_AREA);
  bytes.copy(area);
  area.writeUInt16LE(first, SECOND_STAGE_FIELDS);
  area.writeUInt16LE(sectors * SECTOR - first, SECOND_STAGE_FIELDS + 2);
  area.writeBigUInt64LE(BigInt(SECTOR), SECOND_STAGE_FIELDS + 4);
  area.writeBigUInt64LE(BigInt(SECTOR + first), SECOND_STAGE_FIELDS + 12);
  return area;
}
