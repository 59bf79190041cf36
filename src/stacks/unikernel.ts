/**
 * The engine and its machine code in one address space, for hypervisors that enter a 64-bit kernel
 * by PVH: QEMU, Firecracker, Cloud Hypervisor. A built folder holds three files:
 *
 *     muinference.elf   boots by PVH, has every buffer in its .bss
 *     model.pack        handed over as the first module (initrd)
 *     manifest.json     what they were made from, and how much memory they need
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectGuest, type Guest, type GuestSettings } from '../console/guest.ts';
import { elfFootprint } from '../toolchain/elf.ts';
import { type QemuMachine, startQemu } from '../toolchain/qemu.ts';
import { type GuestRequest, type ModelFacts, type PreparedGuest, prepareGuest } from './prepare.ts';

export const ELF_NAME = 'muinference.elf';
export const PACK_NAME = 'model.pack';
export const MANIFEST_NAME = 'manifest.json';

export interface BuiltFile {
  name: string;
  bytes: number;
  sha256: string;
}

/** RAM in bytes, as a sum: `total` is what the machine must have. */
export interface MachineMemory {
  /** Below the program: vectors, firmware's area, and the program's load address. */
  low: number;
  program: number;
  keyValueCache: number;
  /** Activations, logits, tokenizer and sampler scratch, stacks, page tables. */
  work: number;
  pack: number;
  /** Room for the boot information and for alignment by the loader. */
  slack: number;
  total: number;
}

export interface Manifest {
  version: 1;
  stack: 'unikernel';
  architecture: 'x86_64';
  model: ModelFacts;
  options: { context: number; checked: boolean };
  files: { elf: BuiltFile; pack: BuiltFile };
  memory: MachineMemory;
}

export interface UnikernelBuild {
  manifest: Manifest;
  prepared: PreparedGuest;
}

const SLACK = 4 * 2 ** 20;

export async function buildUnikernel(
  request: Omit<GuestRequest, 'machine'>,
  folder: string,
): Promise<UnikernelBuild> {
  const prepared = await prepareGuest({ ...request, machine: 'pc' });
  await mkdir(folder, { recursive: true });
  await copyFile(prepared.guest.elf, join(folder, ELF_NAME));
  await copyFile(prepared.pack.path, join(folder, PACK_NAME));
  const manifest: Manifest = {
    version: 1,
    stack: 'unikernel',
    architecture: 'x86_64',
    model: prepared.pack.model,
    options: { context: prepared.pack.plan.context, checked: request.checked ?? false },
    files: {
      elf: await describeFile(folder, ELF_NAME, prepared.guest.bytes),
      pack: await describeFile(folder, PACK_NAME, prepared.pack.bytes),
    },
    memory: machineMemory(prepared),
  };
  await writeFile(join(folder, MANIFEST_NAME), `${JSON.stringify(manifest, null, 2)}\n`);
  return { manifest, prepared };
}

function machineMemory({ guest, pack }: PreparedGuest): MachineMemory {
  const { loadedBytes, zeroBytes, end } = elfFootprint(guest.elf);
  const keyValueCache = pack.plan.keyValueBytes;
  const parts = {
    low: end - loadedBytes - zeroBytes,
    program: loadedBytes,
    keyValueCache,
    work: zeroBytes - keyValueCache,
    pack: pack.bytes,
    slack: SLACK,
  };
  const sum = Object.values(parts).reduce((total, bytes) => total + bytes, 0);
  return { ...parts, total: Math.ceil(sum / 2 ** 20) * 2 ** 20 };
}

async function describeFile(folder: string, name: string, bytes: number): Promise<BuiltFile> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(join(folder, name))) hash.update(piece);
  return { name, bytes, sha256: hash.digest('hex') };
}

/** The manifest of a built folder; throws if it is none of ours. */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, MANIFEST_NAME);
  let manifest: Manifest;
  try {
    manifest = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new Error(
      `${folder} is not a built image: ${(error as Error).message}. Build one: mu build MODEL --stack unikernel -o ${folder}`,
    );
  }
  if (manifest.version !== 1 || manifest.stack !== 'unikernel') {
    throw new Error(
      `${path}: expected version 1 and stack unikernel, found ${manifest.version} and ${manifest.stack}; build it again`,
    );
  }
  return manifest;
}

export interface MachineStart {
  folder: string;
  manifest: Manifest;
  machine: QemuMachine;
  processors?: number;
}

/** Boots a built folder in QEMU. */
export function bootUnikernel(start: MachineStart, settings: GuestSettings = {}): Guest {
  const startedAt = performance.now();
  const child = startQemu({
    machine: start.machine,
    kernel: join(start.folder, ELF_NAME),
    initrd: join(start.folder, PACK_NAME),
    memoryBytes: start.manifest.memory.total,
    processors: start.processors,
  });
  return connectGuest(child, { startedAt, ...settings });
}
