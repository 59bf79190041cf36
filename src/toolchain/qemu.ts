import { type Child, startChild } from './children.ts';
import { requireTool } from './find.ts';

export const QEMU_MACHINES = ['microvm', 'q35'] as const;
export type QemuMachine = (typeof QEMU_MACHINES)[number];

/** What every start has in common. */
interface MachineOptions {
  /** RAM in bytes; rounded up to whole MiB. */
  memoryBytes: number;
  /** Virtual processors. Default 1. */
  processors?: number;
  /** Path of a socket that QEMU makes, for connectQmp(). Default: none. */
  qmp?: string;
}

/** A machine that starts a kernel itself. */
export interface QemuOptions extends MachineOptions {
  machine: QemuMachine;
  /** ELF with a PVH note. */
  kernel: string;
  /** The first module that the guest is given: a model pack, or Linux's initramfs. Default: none. */
  initrd?: string;
  /** Linux's command line. Default: none. */
  commandLine?: string;
}

export const FIRMWARES = ['bios', 'uefi'] as const;
export type Firmware = (typeof FIRMWARES)[number];
export const MEDIA = ['cd', 'disk', 'folder'] as const;
export type Medium = (typeof MEDIA)[number];

/** A PC that starts what its firmware finds. */
export interface FirmwareOptions extends MachineOptions {
  /** SeaBIOS, or OVMF. */
  firmware: Firmware;
  /** `application`: none; QEMU hands an EFI application to OVMF itself. */
  medium: Medium | 'application';
  /** An image, handed over read-only; or a folder that is shown as a FAT disk (`uefi` starts its EFI/BOOT/BOOTX64.EFI). */
  path: string;
  /** For an `application`: Linux's command line. */
  commandLine?: string;
  /** Has a VGA adapter, which nobody sees but screenshot() (qmp.ts). Default: none. */
  screen?: boolean;
}

/**
 * QEMU's arguments for one machine without devices but a serial port, which is QEMU's standard
 * input and output. `acpi=off` keeps microvm from building tables that nobody reads; `signal=off`
 * leaves Ctrl-C to us.
 */
export function qemuArguments(options: QemuOptions): string[] {
  const { machine, kernel, initrd, commandLine } = options;
  return [
    ...machineArguments(machine === 'microvm' ? 'microvm,acpi=off' : machine, options),
    ...['-kernel', kernel],
    ...(initrd === undefined ? [] : ['-initrd', initrd]),
    ...(commandLine === undefined ? [] : ['-append', commandLine]),
  ];
}

export function startQemu(options: QemuOptions): Child {
  return start(qemuArguments(options));
}

/** Of Debian's package ovmf. The variables are only a start: QEMU keeps what firmware writes to itself. */
const OVMF_CODE = '/usr/share/OVMF/OVMF_CODE_4M.fd';
const OVMF_VARIABLES = '/usr/share/OVMF/OVMF_VARS_4M.fd';

/** QEMU's arguments for a PC (q35, AHCI, PS/2 keyboard) that boots from one medium. */
export function firmwareArguments(options: FirmwareOptions): string[] {
  const { firmware, medium, path, commandLine = '', screen } = options;
  const flash = 'if=pflash,format=raw';
  const file = (path: string) => `file=${path.replaceAll(',', ',,')}`;
  const source = medium === 'folder' ? `fat:${path}` : path;
  return [
    ...machineArguments('q35', options),
    ...(firmware === 'bios'
      ? []
      : [
          ...['-drive', `${flash},unit=0,readonly=on,${file(OVMF_CODE)}`],
          ...['-drive', `${flash},unit=1,snapshot=on,${file(OVMF_VARIABLES)}`],
        ]),
    ...(medium === 'application'
      ? ['-kernel', path, '-append', commandLine]
      : [
          ...['-drive', `if=none,id=medium,format=raw,readonly=on,${file(source)}`],
          // virtio: AHCI's disks cannot be read-only, and firmware needs a second more to find a USB stick.
          ...['-device', medium === 'cd' ? 'ide-cd,drive=medium' : 'virtio-blk-pci,drive=medium'],
        ]),
    ...(screen ? ['-device', 'VGA'] : []),
  ];
}

/** Starts what lies on a medium by a PC's firmware. On UEFI the serial port carries the firmware's words first. */
export function startFirmware(options: FirmwareOptions): Child {
  requireTool('qemu');
  if (options.firmware === 'uefi') requireTool('ovmf');
  return start(firmwareArguments(options));
}

function machineArguments(machine: string, options: MachineOptions): string[] {
  const memory = Math.ceil(options.memoryBytes / 2 ** 20);
  return [
    ...['-M', machine],
    // Emulated, `rep movsb` moves byte by byte; told that it is slow (no ERMS), Linux starts in two thirds of the time.
    ...['-accel', 'tcg', '-cpu', 'max,-erms'],
    ...['-m', `${memory}M`],
    ...['-smp', String(options.processors ?? 1)],
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    // A guest of ours that fails writes its code there, and QEMU ends with 2 × code + 1 (guest/machine/x86/layout.ts).
    ...['-device', 'isa-debug-exit,iobase=0xf4,iosize=1'],
    ...(options.qmp === undefined
      ? []
      : ['-qmp', `unix:${options.qmp.replaceAll(',', ',,')},server=on,wait=off`]),
  ];
}

function start(args: readonly string[]): Child {
  const [command, ...leading] = requireTool('qemu');
  return startChild(command, [...leading, ...args]);
}
