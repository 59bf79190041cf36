/**
 * No operating system, on any PC or virtual machine with UEFI: one EFI application is engine and machine code, and the pack lies beside it.
 * The same two files as a folder, as a disk image for a USB stick, and as an ISO, which by Limine boots PCs without UEFI too.
 */
import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BOOT_X64, type EspFile, writeEsp } from '../image/esp.ts';
import { writeGpt } from '../image/gpt.ts';
import { type BootImage, writeBootIso, writeEfiIso } from '../image/iso.ts';
import { limineLoader } from '../image/limine.ts';
import { inTemporaryFolder } from '../image/tools.ts';
import { elfFootprint } from '../toolchain/elf.ts';
import { type LimineRelease, requireLimine } from '../toolchain/limine.ts';
import { type Medium, startFirmware } from '../toolchain/qemu.ts';
import type { ToolName } from '../toolchain/tools.ts';
import { FIRMWARE_MEMORY } from './linuxMachine.ts';
import { type MachineMemory, type Manifest, writeManifest } from './manifest.ts';
import { type PreparedGuest, prepareGuest } from './prepare.ts';
import type { ImageFormat, MachineStart, Stack, StackBuild, StackRequest } from './stack.ts';

const ESP_NAME = 'esp';
const EFI_NAME = join(ESP_NAME, BOOT_X64);
const PACK_FILE = 'model.pack';
const PACK_NAME = join(ESP_NAME, PACK_FILE);
const IMG_NAME = 'muinference.img';
const ISO_NAME = 'muinference.iso';

/** What a format is made with, its file, and what it boots from. */
const FORMATS: Record<ImageFormat, { tools: ToolName[]; path: string; media: Medium[] }> = {
  efi: { tools: [], path: ESP_NAME, media: ['folder'] },
  img: { tools: ['mtools'], path: IMG_NAME, media: ['disk'] },
  iso: { tools: ['mtools', 'xorriso'], path: ISO_NAME, media: ['cd', 'disk'] },
};

async function build(request: StackRequest, folder: string): Promise<StackBuild> {
  const { format = 'efi', checked = false, limine } = request;
  const release =
    format === 'iso' && limine !== undefined ? requireLimine({ folder: limine }) : null;
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
    files: release
      ? await writeForBoth(request, prepared, release, folder)
      : await write(format, files, folder),
    memory: memoryParts(prepared),
    firmware: release ? ['uefi', 'bios'] : undefined,
  });
  return { manifest, prepared };
}

/** An ISO with both programs and one pack: UEFI starts the EFI application, BIOS Limine and by it the ELF of the machine pc. */
async function writeForBoth(
  request: StackRequest,
  { guest, pack }: PreparedGuest,
  release: LimineRelease,
  folder: string,
): Promise<{ name: string; what: string }[]> {
  const pc = await prepareGuest({ ...request, machine: 'pc' });
  const image: BootImage = {
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

async function write(
  format: ImageFormat,
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

function memoryParts({ guest, pack }: PreparedGuest): MachineMemory['parts'] {
  const { loadedBytes, zeroBytes } = elfFootprint(guest.stripped);
  const { context, keyValueBytes } = pack.plan;
  const large = 2 ** 21;
  return [
    { what: 'firmware', bytes: FIRMWARE_MEMORY },
    { what: 'program', bytes: loadedBytes },
    { what: `KV cache, ${context} positions`, bytes: keyValueBytes },
    { what: 'activations, logits, stacks', bytes: zeroBytes - keyValueBytes },
    {
      what: 'model pack, in large pages',
      bytes: (Math.ceil(pack.bytes / large) + 1) * large,
    },
  ];
}

function start({ folder, manifest, processors, firmware = 'uefi', medium, shell }: MachineStart) {
  if (firmware === 'none' || !(manifest.firmware ?? ['uefi']).includes(firmware))
    throw new Error('this image boots by UEFI: --firmware uefi. BIOS needs an ISO with --limine');
  if (shell) throw new Error('the stack metal has no shell');
  const { path, media } = FORMATS[formatOf(manifest)];
  const from = medium ?? media[0];
  if (!media.includes(from)) {
    throw new Error(`this image boots from ${media.join(' or ')}, not from ${from}: --medium`);
  }
  const source = { firmware, medium: from, path: join(folder, path) } as const;
  return startFirmware({ ...source, memoryBytes: manifest.memory.total, processors, screen: true });
}

function formatOf({ files }: Manifest): ImageFormat {
  if (files.some(({ name }) => name === IMG_NAME)) return 'img';
  return files.some(({ name }) => name === ISO_NAME) ? 'iso' : 'efi';
}

export const metal: Stack = {
  tools: ['clang', 'lld'],
  formatTools: (format) => FORMATS[format].tools,
  firmware: 'uefi',
  build,
  start,
};
