/**
 * The engine and its machine code in one address space, for hypervisors that enter a 64-bit kernel
 * by PVH: QEMU, Firecracker, Cloud Hypervisor. As an ISO, for PCs: Limine starts the same ELF.
 */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serialTransport } from '../console/transport.ts';
import { firecrackerConfiguration } from '../image/firecracker.ts';
import { writeBootIso } from '../image/iso.ts';
import { limineLoader } from '../image/limine.ts';
import { PACK_FILE } from '../pack/format.ts';
import { type LimineRelease, requireLimine } from '../pull/limine.ts';
import { elfFootprint } from '../toolchain/elf.ts';
import { startFirmware, startQemu } from '../toolchain/qemu.ts';
import { engineNamed } from './engine.ts';
import { FIRMWARE_MEMORY } from './linuxMachine.ts';
import { addUp, type ImageDescription, type MachineMemory, writeManifest } from './manifest.ts';
import type { PreparedGuest } from './prepare.ts';
import type { ImageFormat, MachineStart, Stack, StackBuild, StackRequest } from './stack.ts';

const ELF_NAME = 'muinference.elf';
const ISO_NAME = 'muinference.iso';
const FIRECRACKER_NAME = 'firecracker.json';

/**
 * Limine sets 64 MiB aside for UEFI's firmware. With stories260K 105 MiB in all were too little,
 * 128 were enough.
 */
const LIMINE_MEMORY = 32 * 2 ** 20;

/**
 * What loaders keep free at the end of RAM: QEMU's q35 160 KiB for ACPI's tables; others only begin
 * the pack on a whole page.
 */
const LOADER_BYTES = 256 * 2 ** 10;

/** What there is to say of the files that were written. */
type Written = Pick<ImageDescription, 'files' | 'memory' | 'firmware'>;

async function build(request: StackRequest, folder: string): Promise<StackBuild> {
  const { format = 'elf', limine, checked = false } = request;
  const release = format === 'iso' ? requireLimine({ folder: limine }) : null;
  const prepared = await engineNamed(request.engine).prepare({ ...request, machine: 'pc' });
  await mkdir(folder, { recursive: true });
  const written = release
    ? writeIso(prepared, release, folder)
    : await copyFiles(prepared, format, folder);
  const description = { stack: 'unikernel', prepared, checked, ...written } as const;
  return { manifest: await writeManifest(folder, description), prepared };
}

async function copyFiles(
  prepared: PreparedGuest,
  format: ImageFormat,
  folder: string,
): Promise<Written> {
  await copyFile(prepared.guest.stripped, join(folder, ELF_NAME));
  await copyFile(prepared.pack.path, join(folder, PACK_FILE));
  const memory = memoryParts(prepared);
  const files = [
    { name: ELF_NAME, what: 'boots by PVH, has every buffer in its .bss' },
    { name: PACK_FILE, what: 'handed over as the first module (initrd)' },
  ];
  if (format === 'firecracker') {
    const machine = { kernel: ELF_NAME, initrd: PACK_FILE, memoryBytes: addUp(memory).total };
    await writeFile(join(folder, FIRECRACKER_NAME), firecrackerConfiguration(machine));
    const what = `in this folder: firecracker --no-api --config-file ${FIRECRACKER_NAME}`;
    files.push({ name: FIRECRACKER_NAME, what });
  }
  return { files, memory };
}

function writeIso(prepared: PreparedGuest, release: LimineRelease, folder: string): Written {
  const { guest, pack } = prepared;
  const { architecture, stripped: kernel } = guest;
  const image = { architecture, kernel, modules: [pack.path], title: pack.model.name };
  writeBootIso({ ...image, protocol: 'limine' }, limineLoader(release), join(folder, ISO_NAME));
  const what = `boots by Limine ${release.version}: BIOS, UEFI; CD, disk`;
  return {
    files: [{ name: ISO_NAME, what }],
    memory: [
      { what: 'firmware, Limine', bytes: FIRMWARE_MEMORY + LIMINE_MEMORY },
      ...memoryParts(prepared),
    ],
    firmware: ['bios', 'uefi'],
  };
}

function memoryParts({ guest, pack, memory }: PreparedGuest): MachineMemory['parts'] {
  const { loadedBytes, zeroBytes, end } = elfFootprint(guest.stripped);
  const { keyValueBytes } = memory;
  return [
    // vectors, firmware's area, and the program's load address
    { what: 'low memory', bytes: end - loadedBytes - zeroBytes },
    { what: 'program', bytes: loadedBytes },
    { what: `KV cache, ${pack.plan.context} positions`, bytes: keyValueBytes },
    { what: 'activations, logits, stacks', bytes: zeroBytes - keyValueBytes },
    { what: 'model pack', bytes: pack.bytes },
    { what: 'left to the loader', bytes: LOADER_BYTES },
  ];
}

function start(start: MachineStart) {
  const { folder, manifest, machine, processors, firmware = 'none', medium = 'cd', shell } = start;
  if (shell) throw new Error('a unikernel has no shell');
  const { architecture, memory } = manifest;
  const memoryBytes = memory.total;
  if (manifest.firmware) {
    if (firmware === 'none') throw new Error('this ISO needs --firmware bios or uefi');
    if (medium === 'folder') throw new Error('this ISO boots from cd or disk: --medium');
    const path = join(folder, ISO_NAME);
    return serialTransport(
      startFirmware({ architecture, firmware, medium, path, memoryBytes, processors }),
    );
  }
  if (firmware !== 'none')
    throw new Error(
      'these files boot by PVH: --firmware none. For firmware: mu build --format iso',
    );
  return serialTransport(
    startQemu({
      architecture,
      machine,
      kernel: join(folder, ELF_NAME),
      initrd: join(folder, PACK_FILE),
      memoryBytes,
      processors,
    }),
  );
}

export const unikernel: Stack = {
  tools: [],
  formats: { elf: [], firecracker: [], iso: ['mtools', 'xorriso'] },
  firmware: 'none',
  build,
  start,
};
