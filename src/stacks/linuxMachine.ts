/** What the two Linux stacks have in common. */
import { statSync } from 'node:fs';
import { elfFootprint } from '../toolchain/elf.ts';
import type { QemuMachine } from '../toolchain/qemu.ts';
import type { MachineMemory } from './manifest.ts';
import type { PreparedGuest } from './prepare.ts';

/** What OVMF takes on top of what the stack needs, and Limine with it. */
export const FIRMWARE_MEMORY = 96 * 2 ** 20;

/** What a machine of QEMU's must be told, on top of what is right everywhere. words: for the first process. */
export function machineWords(machine: QemuMachine, words: readonly string[] = []): string {
  // microvm has neither ACPI nor a keyboard controller to switch it off: a triple fault does.
  return machine === 'microvm'
    ? ['reboot=t', '--', 'reset', ...words].join(' ')
    : ['--', ...words].join(' ');
}

/** What Linux takes for itself at run time, beside its code and data (docs/linux.md, measured). */
const KERNEL_WORK = 12 * 2 ** 20;
/** Tables of all pages: 64 bytes for each 4,096. */
const PAGE_TABLES = 64 / 4096;

/**
 * archiveBytes: of the file system's archive, where it is no part of the kernel. Linux copies what lies in it: until the
 * first process begins, both are there.
 */
export function linuxMemory(
  { guest, pack }: PreparedGuest,
  vmlinux: string,
  archiveBytes = 0,
): MachineMemory['parts'] {
  const { context, keyValueBytes, workBytes } = pack.plan;
  const parts = [
    { what: 'Linux: code and data', bytes: elfFootprint(vmlinux).end },
    { what: 'Linux: at run time', bytes: KERNEL_WORK },
    ...(archiveBytes > 0 ? [{ what: 'archive of files', bytes: archiveBytes }] : []),
    { what: 'program', bytes: statSync(guest.stripped).size },
    { what: `KV cache, ${context} positions`, bytes: keyValueBytes },
    { what: 'activations, logits, stacks', bytes: workBytes },
    { what: 'model pack', bytes: pack.bytes },
  ];
  const sum = parts.reduce((total, { bytes }) => total + bytes, 0);
  return [...parts, { what: 'Linux: tables of pages', bytes: Math.ceil(sum * PAGE_TABLES) }];
}
