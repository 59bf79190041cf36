/**
 * No operating system, on any PC or virtual machine with UEFI: one EFI application is engine and machine code, and the pack lies beside it.
 * The same two files as a folder, as a disk image for a USB stick, and as an ISO.
 */
import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BOOT_X64, type EspFile, writeEsp } from '../image/esp.ts';
import { writeGpt } from '../image/gpt.ts';
import { writeEfiIso } from '../image/iso.ts';
import { inTemporaryFolder } from '../image/tools.ts';
import { elfFootprint } from '../toolchain/elf.ts';
import { type Medium, startFirmware } from '../toolchain/qemu.ts';
import { type MachineMemory, type Manifest, writeManifest } from './manifest.ts';
import { type PreparedGuest, prepareGuest } from './prepare.ts';
import type { MachineStart, Stack, StackBuild, StackRequest } from './stack.ts';

const ESP_NAME = 'esp';
const EFI_NAME = join(ESP_NAME, BOOT_X64);
const PACK_FILE = 'model.pack';
const PACK_NAME = join(ESP_NAME, PACK_FILE);
const IMG_NAME = 'muinference.img';
const ISO_NAME = 'muinference.iso';

type Format = 'efi' | 'img' | 'iso';

/** What a format's image is, and what it boots from. */
const FORMATS: Record<Format, { path: string; media: Medium[] }> = {
  efi: { path: ESP_NAME, media: ['folder'] },
  img: { path: IMG_NAME, media: ['disk'] },
  iso: { path: ISO_NAME, media: ['cd', 'disk'] },
};

async function build(request: StackRequest, folder: string): Promise<StackBuild> {
  const { checked = false } = request;
  const format = (request.format ?? 'efi') as Format; // requireFormat() has seen to that
  const prepared = await prepareGuest({ ...request, machine: 'uefi' });
  const { guest, pack } = prepared;
  if (guest.efi === undefined) throw new Error('the guest was not linked as an EFI application');
  await mkdir(folder, { recursive: true });
  const files = [
    { path: BOOT_X64, file: guest.efi },
    { path: PACK_FILE, file: pack.path },
  ];
  const manifest = await writeManifest(folder, {
    ...{ stack: 'metal', prepared, checked },
    files: await write(format, files, folder),
    memory: memoryParts(prepared, format),
  });
  return { manifest, prepared };
}

async function write(
  format: Format,
  files: readonly EspFile[],
  folder: string,
): Promise<{ name: string; what: string }[]> {
  if (format === 'efi') {
    for (const { path, file } of files) {
      const output = join(folder, ESP_NAME, path);
      await mkdir(dirname(output), { recursive: true });
      await copyFile(file, output);
    }
    return [
      { name: EFI_NAME, what: 'the whole system but the model, as an EFI application' },
      { name: PACK_NAME, what: 'goes into the root folder of the same FAT file system' },
    ];
  }
  const name = FORMATS[format].path;
  inTemporaryFolder((temporary) => {
    const esp = join(temporary, 'esp.img');
    writeEsp(esp, files);
    if (format === 'img') writeGpt(esp, join(folder, name));
    else writeEfiIso(esp, join(folder, name));
  });
  const from = format === 'img' ? 'disk and USB stick' : 'CD, disk and USB stick';
  return [{ name, what: `boots by UEFI from ${from}` }];
}

/**
 * What OVMF takes, and what it breaks free memory into (docs/metal.md, measured). It leaves 7 MiB below its own volumes at 8 … 21 MiB,
 * and works in the highest 68 MiB, of which it leaves 38 in one piece. A program takes one piece, its pack another.
 * ours: bytes of both. Small images have FAT12; a folder lies in whatever FAT there is, and for FAT16 OVMF keeps 4 MiB more.
 */
function firmwareBytes(ours: number, format: Format): number {
  const mebibyte = 2 ** 20;
  if (ours <= 3.5 * mebibyte) return (format === 'efi' ? 48 : 44) * mebibyte;
  return (ours <= 32 * mebibyte ? 56 : 90) * mebibyte;
}

/** Firmware's, for each further processor. */
const PROCESSOR_BYTES = 2 ** 16;

function memoryParts({ guest, pack }: PreparedGuest, format: Format): MachineMemory['parts'] {
  const { loadedBytes, zeroBytes } = elfFootprint(guest.stripped);
  const { context, keyValueBytes } = pack.plan;
  const ours = loadedBytes + zeroBytes + pack.bytes;
  return [
    { what: 'firmware (OVMF)', bytes: firmwareBytes(ours, format) },
    { what: 'program', bytes: loadedBytes },
    { what: `KV cache, ${context} positions`, bytes: keyValueBytes },
    { what: 'activations, logits, stacks', bytes: zeroBytes - keyValueBytes },
    { what: 'model pack', bytes: pack.bytes },
  ];
}

function start({
  folder,
  manifest,
  processors = 1,
  firmware = 'uefi',
  medium,
  shell,
}: MachineStart) {
  if (firmware !== 'uefi') throw new Error('the stack metal boots by UEFI: --firmware uefi');
  if (shell) throw new Error('the stack metal has no shell');
  const { path, media } = FORMATS[formatOf(manifest)];
  const from = medium ?? media[0];
  if (!media.includes(from)) {
    throw new Error(`this image boots from ${media.join(' or ')}, not from ${from}: --medium`);
  }
  const source = { firmware, medium: from, path: join(folder, path) } as const;
  const memoryBytes = manifest.memory.total + (processors - 1) * PROCESSOR_BYTES;
  return startFirmware({ ...source, memoryBytes, processors, screen: true });
}

function formatOf({ files }: Manifest): Format {
  if (files.some(({ name }) => name === IMG_NAME)) return 'img';
  return files.some(({ name }) => name === ISO_NAME) ? 'iso' : 'efi';
}

export const metal: Stack = {
  tools: ['clang', 'lld'],
  formats: { efi: [], img: ['mtools'], iso: ['mtools', 'xorriso'] },
  firmware: 'uefi',
  build,
  start,
};
