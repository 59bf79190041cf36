/**
 * The engine as the only process of a Linux that is cut to what the engine asks of it: no libc, no
 * shell, no boot loader. One file is the whole of it: an EFI application whose built-in file system
 * holds engine and model. The same kernel, as an ELF, boots by PVH.
 */
import { statSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { serialTransport } from '../console/transport.ts';
import { writeCpio } from '../image/cpio.ts';
import { dietInitramfs } from '../image/initramfs.ts';
import { type TargetName, targetNamed } from '../toolchain/architectures.ts';
import { cached, hashOf } from '../toolchain/cache.ts';
import { buildKernel, KERNEL_TOOLS } from '../toolchain/kernel.ts';
import { startFirmware, startQemu } from '../toolchain/qemu.ts';
import { engineNamed } from './engine.ts';
import { FIRMWARE_MEMORY, linuxMemory, qemuCommandLine } from './linuxMachine.ts';
import { writeManifest } from './manifest.ts';
import type { MachineStart, Stack, StackBuild, StackRequest } from './stack.ts';

/** A folder as the EFI system partition of a disk has it. */
const ESP_NAME = 'esp';
const ELF_NAME = 'vmlinux';

/** The EFI application's name in the image's folder. */
function applicationOf(architecture: TargetName): string {
  return join(ESP_NAME, targetNamed(architecture).uefi.application);
}

async function build(request: StackRequest, folder: string): Promise<StackBuild> {
  const prepared = await engineNamed(request.engine).prepare({ ...request, machine: 'process' });
  const { guest, pack } = prepared;
  const { architecture } = guest;
  const key = hashOf([guest.stripped, pack.path]);
  const archive = await cached('initramfs', key, async (temporary) => {
    await writeCpio(join(temporary, 'diet.cpio'), dietInitramfs(guest.stripped, pack.path));
  });
  const initramfs = join(archive.folder, 'diet.cpio');
  const { onStep: onProgress } = request;
  const kernel = await buildKernel('diet', { architecture, initramfs, onProgress });
  const application = applicationOf(architecture);
  await mkdir(join(folder, dirname(application)), { recursive: true });
  await copyFile(kernel.bzImage, join(folder, application));
  await copyFile(kernel.vmlinux, join(folder, ELF_NAME));
  const manifest = await writeManifest(folder, {
    stack: 'diet',
    prepared,
    checked: request.checked ?? false,
    files: [
      { name: application, what: 'the whole system as an EFI application' },
      { name: ELF_NAME, what: 'the same, boots by PVH' },
    ],
    memory: linuxMemory(prepared, { ...kernel, holdsArchive: true }, statSync(initramfs).size),
  });
  return { manifest, prepared };
}

function start(request: MachineStart) {
  const { folder, manifest, machine, processors, firmware = 'none', medium, shell } = request;
  if (shell) throw new Error('the stack diet has no shell; the stack linux has one');
  const { architecture, memory } = manifest;
  const memoryBytes = memory.total;
  const commandLine = qemuCommandLine('diet', machine);
  if (firmware === 'none') {
    const kernel = join(folder, ELF_NAME);
    return serialTransport(
      startQemu({ architecture, machine, kernel, commandLine, memoryBytes, processors }),
    );
  }
  if (firmware !== 'uefi' || medium !== undefined) {
    throw new Error(
      'the stack diet boots by PVH (--firmware none) or as an EFI application (--firmware uefi)',
    );
  }
  const path = join(folder, applicationOf(architecture));
  // Firmware holds the file, its copy, and what the kernel unpacks from it, all at the same time.
  const neededBytes = memoryBytes + FIRMWARE_MEMORY + 2 * statSync(path).size;
  return serialTransport(
    startFirmware({
      ...{ architecture, firmware, medium: 'application', path, commandLine },
      ...{ memoryBytes: neededBytes, processors },
    }),
  );
}

export const diet: Stack = {
  tools: KERNEL_TOOLS,
  formats: {},
  firmware: 'none',
  build,
  start,
};
