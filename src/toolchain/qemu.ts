import { type Child, startChild } from './children.ts';
import { requireTool } from './find.ts';

export const QEMU_MACHINES = ['microvm', 'q35'] as const;
export type QemuMachine = (typeof QEMU_MACHINES)[number];

export interface QemuOptions {
  machine: QemuMachine;
  /** ELF with a PVH note. */
  kernel: string;
  /** The model pack: the first module that the guest is given. */
  initrd: string;
  /** RAM in bytes; rounded up to whole MiB. */
  memoryBytes: number;
  /** Virtual processors. Default 1. */
  processors?: number;
}

/**
 * QEMU's arguments for one machine without devices but a serial port, which is QEMU's standard
 * input and output. `acpi=off` keeps microvm from building tables that nobody reads; `signal=off`
 * leaves Ctrl-C to us.
 */
export function qemuArguments(options: QemuOptions): string[] {
  const memory = Math.ceil(options.memoryBytes / 2 ** 20);
  return [
    ...['-M', options.machine === 'microvm' ? 'microvm,acpi=off' : options.machine],
    ...['-accel', 'tcg', '-cpu', 'max'],
    ...['-m', `${memory}M`],
    ...['-smp', String(options.processors ?? 1)],
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    ...['-kernel', options.kernel, '-initrd', options.initrd],
  ];
}

export function startQemu(options: QemuOptions): Child {
  const [command, ...leading] = requireTool('qemu');
  return startChild(command, [...leading, ...qemuArguments(options)]);
}
