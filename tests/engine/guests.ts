/**
 * Every way that one pack is run in these tests: machine, CPU variant, checked or not, number of
 * cores.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Constants } from '../../src/compiler/index.ts';
import type { Guest } from '../../src/console/guest.ts';
import type { CacheType } from '../../src/plan/sizes.ts';
import { bootStack, buildStack, stackNamed } from '../../src/stacks/index.ts';
import type { StackName } from '../../src/stacks/manifest.ts';
import { preparePack } from '../../src/stacks/prepare.ts';
import { startProcess } from '../../src/stacks/process.ts';
import { findTool } from '../../src/toolchain/find.ts';
import { compileGuest } from '../../src/toolchain/guest.ts';
import type { Firmware, QemuMachine } from '../../src/toolchain/qemu.ts';
import { VARIANT_NAMES, type VariantName, variantNamed } from '../../src/toolchain/variants.ts';
import { LIMINE_FOLDER, limine, missingTools, NO_LIMINE } from '../image/loaders.ts';

export interface Variant {
  name: string;
  checked: boolean;
  cores: number;
  /** undefined: the CPU variant that the program chooses itself */
  cpu: VariantName | undefined;
  /** why it does not run here; empty if it does */
  missing: string;
  on: 'process' | { stack: StackName; qemu: QemuMachine; firmware?: Firmware };
}

export interface ModelFiles {
  model: string;
  tokenizer?: string;
  /** positions; default: the model's */
  context?: number;
  kv?: CacheType;
}

export const hasQemu = findTool('qemu').command !== null;
/** Stands in the name of what is skipped. */
export const NO_QEMU = hasQemu ? '' : ' (needs qemu-system-x86_64)';

/** The same for machines with firmware. */
export const NO_UEFI =
  hasQemu && findTool('ovmf').command !== null ? '' : ' (needs qemu-system-x86_64, ovmf)';

const isoTools = missingTools('mtools', 'xorriso');
const NO_ISO_TOOLS = isoTools.length > 0 ? ` (needs ${isoTools.join(', ')})` : '';

const missing = [...stackNamed('linux').tools, 'qemu' as const].filter(
  (tool) => !findTool(tool).command,
);
export const canBootLinux = missing.length === 0;
export const NO_LINUX = canBootLinux ? '' : ` (needs ${missing.join(', ')})`;
/** Milliseconds. The first test that needs a kernel may have to build it, or link it anew. */
export const LINUX_TIMEOUT = 600_000;

const cpuFlags = new Set(
  /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].trim().split(/\s+/),
);
/** Stands in the name of what is skipped; empty if code of the variant runs here. */
export function noVariant(cpu: VariantName): string {
  const lacking = variantNamed(cpu).cpuinfo.filter((flag) => !cpuFlags.has(flag));
  return lacking.length > 0 ? ` (this CPU has no ${lacking.join(', ')})` : '';
}

export const processVariants: Variant[] = [
  ...VARIANT_NAMES.map((cpu) => processVariant(cpu, false, 2)),
  processVariant('portable', true, 1),
  processVariant(undefined, false, 3),
  processVariant(undefined, true, 2),
];

/** Far more threads than the usual host has processors. */
export const crowdedVariants: Variant[] = [processVariant(undefined, false, 16)];

export const pcVariants: Variant[] = [
  bootVariant('unikernel', 'microvm', false, 1),
  bootVariant('unikernel', 'microvm', false, 2),
  bootVariant('unikernel', 'microvm', true, 1),
  bootVariant('unikernel', 'q35', false, 1),
  // What QEMU emulates
  bootVariant('unikernel', 'microvm', false, 1, 'portable'),
  bootVariant('unikernel', 'microvm', false, 1, 'avx2'),
  bootVariant('unikernel', 'q35', false, 3),
];

export const metalVariants: Variant[] = [
  bootVariant('metal', 'q35', false, 1),
  bootVariant('metal', 'q35', false, 3),
  bootVariant('metal', 'q35', true, 2),
];

/** The unikernel's ELF as a CD that Limine starts. */
export const limineVariants: Variant[] = (['bios', 'uefi'] as const).map((firmware) => {
  const without = firmware === 'bios' ? NO_QEMU : NO_UEFI;
  return {
    ...{ name: `unikernel by Limine, ${firmware}, release, 2 cores`, checked: false, cores: 2 },
    ...{ cpu: undefined, on: { stack: 'unikernel', qemu: 'q35', firmware } },
    missing: without || (limine ? NO_ISO_TOOLS : ` ${NO_LIMINE}`),
  };
});

export const linuxVariants: Variant[] = [
  bootVariant('diet', 'microvm', false, 1),
  bootVariant('diet', 'q35', false, 2),
  bootVariant('linux', 'microvm', false, 2),
  bootVariant('linux', 'microvm', true, 1),
  bootVariant('linux', 'q35', false, 1),
];

export function processVariant(
  cpu: VariantName | undefined,
  checked: boolean,
  cores: number,
): Variant {
  const name = nameOf(['process', cpu], checked, cores);
  return { name, checked, cores, cpu, missing: cpu ? noVariant(cpu) : '', on: 'process' };
}

function bootVariant(
  stack: StackName,
  qemu: QemuMachine,
  checked: boolean,
  cores: number,
  cpu?: VariantName,
): Variant {
  const name = nameOf([stack, qemu, cpu], checked, cores);
  const missing = { unikernel: NO_QEMU, metal: NO_UEFI, linux: NO_LINUX, diet: NO_LINUX }[stack];
  return { name, checked, cores, cpu, missing, on: { stack, qemu } };
}

function nameOf(where: (string | undefined)[], checked: boolean, cores: number): string {
  return `${where.filter(Boolean).join(', ')}, ${checked ? 'checked' : 'release'}, ${cores} ${cores === 1 ? 'core' : 'cores'}`;
}

/**
 * Starts the model in one variant, hands its console to `use` and switches it off. constants: of
 * the process's program, in place of the pack's.
 */
export async function withGuest<T>(
  files: ModelFiles,
  variant: Variant,
  use: (guest: Guest) => Promise<T>,
  constants: Constants = {},
): Promise<T> {
  const { checked, cores, cpu, on } = variant;
  if (on === 'process') {
    const pack = await preparePack(files);
    const { elf } = await compileGuest({
      ...{ machine: 'process', app: 'chat', checked, cpu },
      constants: { ...pack.constants, ...constants },
    });
    return closing(startProcess({ elf, pack: pack.path, threads: cores }), use);
  }
  const folder = await mkdtemp(join(tmpdir(), 'mu-parity-'));
  try {
    const iso = on.firmware && ({ format: 'iso', limine: LIMINE_FOLDER } as const);
    const { manifest } = await buildStack(on.stack, { ...files, checked, cpu, ...iso }, folder);
    const { qemu: machine, firmware } = on;
    const start = { folder, manifest, machine, firmware, processors: cores };
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

/** Types keys; what the console says until the guest is ready again. */
export async function type(guest: Guest, keys: string): Promise<string> {
  await guest.ready();
  return new Promise((resolve) => {
    let said = '';
    const stop = guest.transport.onBytes((bytes) => {
      said += Buffer.from(bytes).toString('latin1');
      if (!said.endsWith('\x05')) return;
      stop();
      resolve(said.slice(0, -1));
    });
    guest.transport.write(Buffer.from(keys));
  });
}

/** Types a line; the answer to it. */
export async function answerTo(guest: Guest, line: string): Promise<string> {
  const said = await type(guest, line);
  return said.slice(said.indexOf('\n') + 1).replace(/\n\n$/, '');
}
