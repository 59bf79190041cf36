/** Every way that one pack is run in these tests: machine, CPU level, checked or not, number of cores. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Guest } from '../../src/console/guest.ts';
import { bootStack, buildStack } from '../../src/stacks/index.ts';
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
  on: { machine: 'process'; cpu: CpuLevel } | { machine: 'pc'; qemu: QemuMachine };
}

export interface ModelFiles {
  model: string;
  tokenizer?: string;
}

export const hasQemu = findTool('qemu').command !== null;
/** Stands in the name of what is skipped. */
export const NO_QEMU = hasQemu ? '' : ' (needs qemu-system-x86_64)';

const levels: CpuLevel[] = [...new Set(['v3' as const, hostCpuLevel()])];

export const processVariants: Variant[] = levels.flatMap((cpu) => [
  processVariant(cpu, false, 1),
  processVariant(cpu, false, 2),
  processVariant(cpu, true, 2),
]);

export const pcVariants: Variant[] = [
  pcVariant('microvm', false, 1),
  pcVariant('microvm', false, 2),
  pcVariant('microvm', true, 1),
  pcVariant('q35', false, 1),
];

function processVariant(cpu: CpuLevel, checked: boolean, cores: number): Variant {
  return {
    name: nameOf(`process, ${cpu}`, checked, cores),
    checked,
    cores,
    on: { machine: 'process', cpu },
  };
}

function pcVariant(qemu: QemuMachine, checked: boolean, cores: number): Variant {
  return {
    name: nameOf(`pc, ${qemu}`, checked, cores),
    checked,
    cores,
    on: { machine: 'pc', qemu },
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
  if (on.machine === 'process') {
    const pack = await preparePack(files);
    const { constants } = pack;
    const { elf } = await compileGuest({ app: 'chat', constants, checked, ...on });
    return closing(startProcess({ elf, pack: pack.path, threads: cores }), use);
  }
  const folder = await mkdtemp(join(tmpdir(), 'mu-parity-'));
  try {
    const { manifest } = await buildStack('unikernel', { ...files, checked }, folder);
    const machine = on.qemu;
    return await closing(bootStack({ folder, manifest, machine, processors: cores }), use);
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
