/** Every way that one pack is run in these tests: machine, CPU level, checked or not, number of cores. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Guest } from '../../src/console/guest.ts';
import { bootStack, buildStack, stackNamed } from '../../src/stacks/index.ts';
import type { StackName } from '../../src/stacks/manifest.ts';
import { preparePack } from '../../src/stacks/prepare.ts';
import { startProcess } from '../../src/stacks/process.ts';
import { type CpuLevel, hostCpuLevel } from '../../src/toolchain/clang.ts';
import { findTool } from '../../src/toolchain/find.ts';
import { compileGuest } from '../../src/toolchain/guest.ts';
import type { QemuMachine } from '../../src/toolchain/qemu.ts';

export interface Variant {
  name: string;
  checked: boolean;
  cores: number;
  on: { cpu: CpuLevel } | { stack: StackName; qemu: QemuMachine };
}

export interface ModelFiles {
  model: string;
  tokenizer?: string;
}

export const hasQemu = findTool('qemu').command !== null;
/** Stands in the name of what is skipped. */
export const NO_QEMU = hasQemu ? '' : ' (needs qemu-system-x86_64)';

const missing = [...stackNamed('linux').tools, 'qemu' as const].filter(
  (tool) => !findTool(tool).command,
);
export const canBootLinux = missing.length === 0;
export const NO_LINUX = canBootLinux ? '' : ` (needs ${missing.join(', ')})`;
/** Milliseconds. The first test that needs a kernel may have to build it, or link it anew. */
export const LINUX_TIMEOUT = 600_000;

const levels: CpuLevel[] = [...new Set(['v3' as const, hostCpuLevel()])];

export const processVariants: Variant[] = levels.flatMap((cpu) => [
  processVariant(cpu, false, 1),
  processVariant(cpu, false, 2),
  processVariant(cpu, true, 2),
]);

/** Far more threads than the usual host has processors. */
export const crowdedVariants: Variant[] = [processVariant('v3', false, 16)];

export const pcVariants: Variant[] = [
  bootVariant('unikernel', 'microvm', false, 1),
  bootVariant('unikernel', 'microvm', false, 2),
  bootVariant('unikernel', 'microvm', true, 1),
  bootVariant('unikernel', 'q35', false, 1),
  bootVariant('unikernel', 'q35', false, 3),
];

/** Their processes are compiled for the lowest CPU level, as what is to boot anywhere must be. */
export const linuxVariants: Variant[] = [
  bootVariant('diet', 'microvm', false, 1),
  bootVariant('diet', 'q35', false, 2),
  bootVariant('linux', 'microvm', false, 2),
  bootVariant('linux', 'microvm', true, 1),
  bootVariant('linux', 'q35', false, 1),
];

function processVariant(cpu: CpuLevel, checked: boolean, cores: number): Variant {
  return {
    name: nameOf(`process, ${cpu}`, checked, cores),
    checked,
    cores,
    on: { cpu },
  };
}

function bootVariant(
  stack: StackName,
  qemu: QemuMachine,
  checked: boolean,
  cores: number,
): Variant {
  return {
    name: nameOf(`${stack}, ${qemu}`, checked, cores),
    checked,
    cores,
    on: { stack, qemu },
  };
}

function nameOf(machine: string, checked: boolean, cores: number): string {
  return `${machine}, ${checked ? 'checked' : 'release'}, ${cores} ${cores === 1 ? 'core' : 'cores'}`;
}

/** Starts the model in one variant, hands its console to `use` and switches it off. */
export async function withGuest<T>(
  files: ModelFiles,
  variant: Variant,
  use: (guest: Guest) => Promise<T>,
): Promise<T> {
  const { checked, cores, on } = variant;
  if ('cpu' in on) {
    const pack = await preparePack(files);
    const { constants } = pack;
    const { elf } = await compileGuest({
      machine: 'process',
      app: 'chat',
      constants,
      checked,
      ...on,
    });
    return closing(startProcess({ elf, pack: pack.path, threads: cores }), use);
  }
  const folder = await mkdtemp(join(tmpdir(), 'mu-parity-'));
  try {
    const { manifest } = await buildStack(on.stack, { ...files, checked }, folder);
    const machine = on.qemu;
    const start = { folder, manifest, machine, processors: cores };
    return await closing(bootStack(start), use);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function closing<T>(guest: Guest, use: (guest: Guest) => Promise<T>): Promise<T> {
  try {
    return await use(guest);
  } finally {
    await guest.close();
  }
}
