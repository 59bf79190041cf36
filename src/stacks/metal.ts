/**
 * No operating system, on any PC or virtual machine with UEFI: one EFI application is engine and
 * machine code, and the pack lies beside it. The same two files as a folder, as a disk image for a
 * USB stick, and as an ISO, which by Limine boots PCs without UEFI too.
 */
import { copyFileSync, mkdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { serialTransport } from '../console/transport.ts';
import { writeEmbedded } from '../image/embed.ts';
import { type EspFile, writeEsp } from '../image/esp.ts';
import { writeGpt } from '../image/gpt.ts';
import { writeBootIso, writeEfiIso } from '../image/iso.ts';
import { limineLoader } from '../image/limine.ts';
import type { BootImage } from '../image/loader.ts';
import { inTemporaryFolder } from '../image/tools.ts';
import { PACK_FILE } from '../pack/format.ts';
import { type LimineRelease, requireLimine } from '../pull/limine.ts';
import { targetNamed } from '../toolchain/architectures.ts';
import { elfFootprint } from '../toolchain/elf.ts';
import { type Medium, startFirmware } from '../toolchain/qemu.ts';
import { engineNamed } from './engine.ts';
import { type MachineMemory, type Manifest, writeManifest } from './manifest.ts';
import type { PreparedGuest } from './prepare.ts';
import type { MachineStart, Stack, StackBuild, StackRequest } from './stack.ts';

const ESP_NAME = 'esp';
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
  const { embed = false, limine, checked = false } = request;
  const format = (request.format ?? 'efi') as Format; // requireFormat() has seen to that
  const release =
    format === 'iso' && limine !== undefined ? requireLimine({ folder: limine }) : null;
  const prepared = await engineNamed(request.engine).prepare({ ...request, machine: 'uefi' });
  await mkdir(folder, { recursive: true });
  const files = release
    ? await writeForBoth(request, prepared, release, folder)
    : inTemporaryFolder((temporary) => {
        const parts = embed ? [embeddedApplication(prepared, temporary)] : separateFiles(prepared);
        return write(format, parts, folder, temporary);
      });
  const manifest = await writeManifest(folder, {
    ...{ stack: 'metal', prepared, checked, files },
    memory: memoryParts(prepared, format, embed),
    firmware: release ? ['uefi', 'bios'] : undefined,
  });
  return { manifest, prepared };
}

/**
 * An ISO with both programs and one pack: UEFI starts the EFI application, BIOS Limine and by it
 * the ELF of the machine pc.
 */
async function writeForBoth(
  request: StackRequest,
  { guest, pack }: PreparedGuest,
  release: LimineRelease,
  folder: string,
): Promise<{ name: string; what: string }[]> {
  const pc = await engineNamed(request.engine).prepare({ ...request, machine: 'pc' });
  const image: BootImage = {
    architecture: guest.architecture,
    protocol: 'limine',
    kernel: pc.guest.stripped,
    modules: [pack.path],
    title: pack.model.name,
    efiProgram: guest.efi,
  };
  writeBootIso(image, limineLoader(release), join(folder, ISO_NAME));
  const what = `boots by UEFI, and by Limine ${release.version} by BIOS, from CD, disk and USB stick`;
  return [{ name: ISO_NAME, what }];
}

function applicationOf({ architecture }: PreparedGuest['guest']): string {
  return targetNamed(architecture).uefi.application;
}

/** A file of the image, and what to say of it where it is to be seen. */
type Part = EspFile & { what: string };

function separateFiles({ guest, pack }: PreparedGuest): Part[] {
  if (guest.efi === undefined) throw new Error('the guest was not linked as an EFI application');
  const what = 'the whole system but the model, as an EFI application';
  const beside = 'goes into the root folder of the same FAT file system';
  return [
    { path: applicationOf(guest), file: guest.efi, what },
    { path: PACK_FILE, file: pack.path, what: beside },
  ];
}

function embeddedApplication({ guest, pack }: PreparedGuest, temporary: string): Part {
  const file = join(temporary, 'embedded.efi');
  writeEmbedded(guest.stripped, pack.path, file);
  const what = 'the whole system, model included, as an EFI application';
  return { path: applicationOf(guest), file, what };
}

function write(
  format: Format,
  parts: readonly Part[],
  folder: string,
  temporary: string,
): { name: string; what: string }[] {
  if (format === 'efi') {
    return parts.map(({ path, file, what }) => {
      const name = join(ESP_NAME, path);
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      copyFileSync(file, join(folder, name));
      return { name, what };
    });
  }
  const name = FORMATS[format].path;
  const esp = join(temporary, 'esp.img');
  writeEsp(esp, parts);
  if (format === 'img') writeGpt(esp, join(folder, name));
  else writeEfiIso(esp, join(folder, name));
  const from = format === 'img' ? 'disk and USB stick' : 'CD, disk and USB stick';
  return [{ name, what: `boots by UEFI from ${from}` }];
}

/**
 * What OVMF takes, and what it breaks free memory into (docs/metal.md, measured). It leaves 7 MiB
 * below its own volumes at 8 … 21 MiB, and works in the highest 68 MiB, of which it leaves 38 in
 * one piece. A program takes one piece, its pack another. ours: bytes of both. Small images have
 * FAT12; a folder lies in whatever FAT there is, and for FAT16 OVMF keeps 4 MiB more.
 */
function firmwareBytes(ours: number, format: Format): number {
  const mebibyte = 2 ** 20;
  if (ours <= 3.5 * mebibyte) return (format === 'efi' ? 48 : 44) * mebibyte;
  return (ours <= 32 * mebibyte ? 56 : 90) * mebibyte;
}

/** Firmware's, for each further processor. */
const PROCESSOR_BYTES = 2 ** 16;

function memoryParts(
  { guest, pack, memory }: PreparedGuest,
  format: Format,
  embed: boolean,
): MachineMemory['parts'] {
  const { loadedBytes, zeroBytes } = elfFootprint(guest.stripped);
  const { keyValueBytes } = memory;
  const copyBytes = embed ? pack.bytes : 0;
  const ours = loadedBytes + zeroBytes + pack.bytes + copyBytes;
  return [
    { what: 'firmware (OVMF)', bytes: firmwareBytes(ours, format) },
    { what: 'program', bytes: loadedBytes },
    { what: `KV cache, ${pack.plan.context} positions`, bytes: keyValueBytes },
    { what: 'activations, logits, stacks', bytes: zeroBytes - keyValueBytes },
    { what: 'model pack', bytes: pack.bytes },
    ...(embed ? [{ what: 'its file, until it is loaded', bytes: copyBytes }] : []),
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
  if (firmware === 'none' || !(manifest.firmware ?? ['uefi']).includes(firmware))
    throw new Error('this image boots by UEFI: --firmware uefi. BIOS needs an ISO with --limine');
  if (shell) throw new Error('the stack metal has no shell');
  const { path, media } = FORMATS[formatOf(manifest)];
  const from = medium ?? media[0];
  if (!media.includes(from)) {
    throw new Error(`this image boots from ${media.join(' or ')}, not from ${from}: --medium`);
  }
  const { architecture } = manifest;
  const source = { architecture, firmware, medium: from, path: join(folder, path) } as const;
  const memoryBytes = manifest.memory.total + (processors - 1) * PROCESSOR_BYTES;
  return serialTransport(startFirmware({ ...source, memoryBytes, processors, screen: true }));
}

function formatOf({ files }: Manifest): Format {
  if (files.some(({ name }) => name === IMG_NAME)) return 'img';
  return files.some(({ name }) => name === ISO_NAME) ? 'iso' : 'efi';
}

export const metal: Stack = {
  tools: [],
  formats: { efi: [], img: ['mtools'], iso: ['mtools', 'xorriso'] },
  firmware: 'uefi',
  build,
  start,
};
