/**
 * The stack that the others are compared with: a boot loader, a minimal Linux, musl, BusyBox, an
 * init of our own, and the engine as an ordinary process. One ISO boots from CD and disk, by BIOS
 * and UEFI; kernel and archive also boot by PVH.
 */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { serialTransport } from '../console/transport.ts';
import { writeCpio } from '../image/cpio.ts';
import { findLoader } from '../image/findLoader.ts';
import { linuxInitramfs, packInitramfs } from '../image/initramfs.ts';
import { writeBootIso } from '../image/iso.ts';
import type { BootImage } from '../image/loader.ts';
import { BUSYBOX_TOOLS, buildBusybox } from '../toolchain/busybox.ts';
import { compileInit } from '../toolchain/guest.ts';
import { buildKernel, KERNEL_TOOLS, kernelCommandLine } from '../toolchain/kernel.ts';
import { startFirmware, startQemu } from '../toolchain/qemu.ts';
import { engineNamed } from './engine.ts';
import { FIRMWARE_MEMORY, linuxMemory, qemuCommandLine } from './linuxMachine.ts';
import { writeManifest } from './manifest.ts';
import type { MachineStart, Stack, StackBuild, StackRequest } from './stack.ts';

const ISO_NAME = 'muinference.iso';
const KERNEL_NAME = 'vmlinux';
const INITRAMFS_NAME = 'initramfs.cpio';

async function build(request: StackRequest, folder: string): Promise<StackBuild> {
  const { limine, usb, onStep, say = () => {} } = request;
  const engine = engineNamed(request.engine);
  const loader = findLoader({ limine }, say);
  const prepared = await engine.prepare({ ...request, machine: 'process' });
  const { architecture, stripped } = prepared.guest;
  const init = await compileInit({ architecture });
  say(`init: ${init.codeLines} lines of code`);
  const { program: busybox, applets } = await buildBusybox(onStep);
  const options = { architecture, onProgress: onStep };
  const kernel = await buildKernel(usb ? 'linux-usb' : 'linux', options);
  await mkdir(folder, { recursive: true });
  const initramfs = join(folder, INITRAMFS_NAME);
  const archiveBytes = await writeCpio(initramfs, [
    ...linuxInitramfs({ init: init.elf, engine: stripped, busybox, applets }),
    ...packInitramfs(prepared.pack.path),
  ]);
  await copyFile(kernel.vmlinux, join(folder, KERNEL_NAME));
  const image: BootImage = {
    architecture,
    protocol: 'linux',
    kernel: kernel.bzImage,
    modules: [initramfs],
    commandLine: kernelCommandLine('linux'),
    title: prepared.pack.model.name,
  };
  writeBootIso(image, loader, join(folder, ISO_NAME));
  const manifest = await writeManifest(folder, {
    stack: 'linux',
    prepared,
    checked: request.checked ?? false,
    files: [
      { name: ISO_NAME, what: `boots by ${loader.name} ${loader.version}: BIOS, UEFI; CD, disk` },
      { name: KERNEL_NAME, what: 'its kernel as an ELF, boots by PVH' },
      { name: INITRAMFS_NAME, what: 'its file system: init, BusyBox, engine, model' },
    ],
    memory: linuxMemory(prepared, { ...kernel, holdsArchive: false }, archiveBytes),
  });
  return { manifest, prepared };
}

function start(start: MachineStart) {
  const { folder, manifest, machine, processors, firmware = 'none', medium = 'cd', shell } = start;
  const { architecture, memory } = manifest;
  const memoryBytes = memory.total;
  if (firmware === 'none') {
    return serialTransport(
      startQemu({
        architecture,
        machine,
        kernel: join(folder, KERNEL_NAME),
        initrd: join(folder, INITRAMFS_NAME),
        commandLine: qemuCommandLine('linux', machine, shell ? ['shell'] : []),
        memoryBytes,
        processors,
      }),
    );
  }
  if (shell)
    throw new Error(
      'a shell on the serial port needs --firmware none: its word stands on the command line',
    );
  return serialTransport(
    startFirmware({
      architecture,
      firmware,
      medium,
      path: join(folder, ISO_NAME),
      memoryBytes: memoryBytes + FIRMWARE_MEMORY,
      processors,
      screen: true,
    }),
  );
}

export const linux: Stack = {
  tools: [...KERNEL_TOOLS, ...BUSYBOX_TOOLS],
  formats: {},
  firmware: 'none',
  build,
  start,
};
