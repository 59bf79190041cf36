/**
 * The engine and its machine code in one address space, for hypervisors that enter a 64-bit kernel
 * by PVH: QEMU, Firecracker, Cloud Hypervisor.
 */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { firecrackerConfiguration } from '../image/firecracker.ts';
import { elfFootprint } from '../toolchain/elf.ts';
import { startQemu } from '../toolchain/qemu.ts';
import { addUp, type MachineMemory, writeManifest } from './manifest.ts';
import { type PreparedGuest, prepareGuest } from './prepare.ts';
import type { MachineStart, Stack, StackBuild, StackRequest } from './stack.ts';

const ELF_NAME = 'muinference.elf';
const PACK_NAME = 'model.pack';
const FIRECRACKER_NAME = 'firecracker.json';

/** What loaders keep free at the end of RAM: QEMU's q35 160 KiB for ACPI's tables; others only begin the pack on a whole page. */
const LOADER_BYTES = 256 * 2 ** 10;

async function build(request: StackRequest, folder: string): Promise<StackBuild> {
  const { format = 'elf', checked = false } = request;
  const prepared = await prepareGuest({ ...request, machine: 'pc' });
  const memory = memoryParts(prepared);
  await mkdir(folder, { recursive: true });
  await copyFile(prepared.guest.stripped, join(folder, ELF_NAME));
  await copyFile(prepared.pack.path, join(folder, PACK_NAME));
  const files = [
    { name: ELF_NAME, what: 'boots by PVH, has every buffer in its .bss' },
    { name: PACK_NAME, what: 'handed over as the first module (initrd)' },
  ];
  if (format === 'firecracker') {
    const machine = { kernel: ELF_NAME, initrd: PACK_NAME, memoryBytes: addUp(memory).total };
    await writeFile(join(folder, FIRECRACKER_NAME), firecrackerConfiguration(machine));
    const what = `in this folder: firecracker --no-api --config-file ${FIRECRACKER_NAME}`;
    files.push({ name: FIRECRACKER_NAME, what });
  }
  const manifest = await writeManifest(folder, {
    ...{ stack: 'unikernel', prepared, checked, files, memory },
  });
  return { manifest, prepared };
}

function memoryParts({ guest, pack }: PreparedGuest): MachineMemory['parts'] {
  const { loadedBytes, zeroBytes, end } = elfFootprint(guest.stripped);
  const { context, keyValueBytes } = pack.plan;
  return [
    // vectors, firmware's area, and the program's load address
    { what: 'low memory', bytes: end - loadedBytes - zeroBytes },
    { what: 'program', bytes: loadedBytes },
    { what: `KV cache, ${context} positions`, bytes: keyValueBytes },
    { what: 'activations, logits, stacks', bytes: zeroBytes - keyValueBytes },
    { what: 'model pack', bytes: pack.bytes },
    { what: 'left to the loader', bytes: LOADER_BYTES },
  ];
}

function start({ folder, manifest, machine, processors, firmware = 'none', shell }: MachineStart) {
  if (firmware !== 'none') throw new Error('a unikernel boots by PVH only: --firmware none');
  if (shell) throw new Error('a unikernel has no shell');
  return startQemu({
    machine,
    kernel: join(folder, ELF_NAME),
    initrd: join(folder, PACK_NAME),
    memoryBytes: manifest.memory.total,
    processors,
  });
}

export const unikernel: Stack = {
  tools: ['clang', 'lld'],
  formats: { elf: [], firecracker: [] },
  firmware: 'none',
  build,
  start,
};
