/** What the two Linux stacks have in common. */
import { elfFootprint } from '../toolchain/elf.ts';
import type { QemuMachine } from '../toolchain/qemu.ts';
import type { MachineMemory } from './manifest.ts';
import type { PreparedGuest } from './prepare.ts';

/** OVMF's own, on top of what the stack needs. */
export const UEFI_MEMORY = 96 * 2 ** 20;

/** What a machine of QEMU's must be told, on top of what is right everywhere. */
export function machineWords(machine: QemuMachine): string {
  // It has neither ACPI nor a keyboard controller to reset it: a triple fault does.
  return machine === 'microvm' ? 'reboot=t -- reset' : '';
}

/** What Linux takes for itself at run time: tables, slabs, page tables. Measured: docs/linux.md. */
const KERNEL_WORK = 16 * 2 ** 20;

export function kernelMemory(
  { guest, pack }: PreparedGuest,
  vmlinux: string,
  archiveBytes: number,
): MachineMemory['parts'] {
  const kernel = elfFootprint(vmlinux);
  const engine = elfFootprint(guest.elf);
  const { context, keyValueBytes } = pack.plan;
  return [
    { what: 'Linux: code and data', bytes: kernel.end },
    { what: 'Linux: at run time', bytes: KERNEL_WORK },
    { what: 'archive of the file system', bytes: archiveBytes },
    { what: 'program', bytes: engine.loadedBytes },
    { what: `KV cache, ${context} positions`, bytes: keyValueBytes },
    { what: 'activations, logits, stacks', bytes: engine.zeroBytes - keyValueBytes },
    { what: 'model pack', bytes: pack.bytes },
  ];
}
