/** What the two Linux stacks have in common. */
import { statSync } from 'node:fs';
import { elfFootprint } from '../toolchain/elf.ts';
import { type KernelName, kernelCommandLine, QEMU_COMMAND_LINE } from '../toolchain/kernel.ts';
import type { QemuMachine } from '../toolchain/qemu.ts';
import type { MachineMemory } from './manifest.ts';
import type { PreparedGuest } from './prepare.ts';

/** What OVMF takes on top of what the stack needs, and Limine with it. */
export const FIRMWARE_MEMORY = 96 * 2 ** 20;

/**
 * The kernel's command line for a machine of QEMU's. words: for the first process. Where Linux
 * cannot switch the machine off (microvm has no ACPI, `diet` does not know it), a triple fault ends
 * it.
 */
export function qemuCommandLine(
  name: KernelName,
  machine: QemuMachine,
  words: readonly string[] = [],
): string {
  const ends = name === 'diet' || machine === 'microvm' ? ['reboot=t', '--', 'reset'] : ['--'];
  return [kernelCommandLine(name), QEMU_COMMAND_LINE, ...ends, ...words].join(' ');
}

/** What Linux takes for itself at run time, beside its code and data (docs/linux.md, measured). */
const KERNEL_WORK = 8 * 2 ** 20;
/** Tables of all pages: 64 bytes for each 4,096. */
const PAGE_TABLES = 64 / 4096;

/**
 * What the machine needs, as a sum. Linux copies what lies in the archive and then frees it; the KV
 * cache comes later.
 */
export function linuxMemory(
  { guest, pack, memory }: PreparedGuest,
  kernel: { vmlinux: string; holdsArchive: boolean },
  archiveBytes: number,
): MachineMemory['parts'] {
  const { keyValueBytes, workBytes } = memory;
  const kernelBytes = elfFootprint(kernel.vmlinux).end - (kernel.holdsArchive ? archiveBytes : 0);
  const parts = [
    { what: 'Linux: code and data', bytes: kernelBytes },
    { what: 'Linux: at run time', bytes: KERNEL_WORK },
    { what: 'program', bytes: statSync(guest.stripped).size },
    { what: `KV cache, ${pack.plan.context} positions`, bytes: keyValueBytes },
    { what: 'activations, logits, stacks', bytes: workBytes },
    {
      what: 'archive, beyond these two',
      bytes: Math.max(0, archiveBytes - keyValueBytes - workBytes),
    },
    { what: 'model pack', bytes: pack.bytes },
  ];
  const sum = parts.reduce((total, { bytes }) => total + bytes, 0);
  return [...parts, { what: 'Linux: tables of pages', bytes: Math.ceil(sum * PAGE_TABLES) }];
}
