import { DEFAULT_TARGET, type QemuMachine, type TargetName, targetNamed } from './architectures.ts';
import { type Child, startChild } from './children.ts';
import { requireTool } from './find.ts';
import { toolNamed } from './tools.ts';

export { QEMU_MACHINES, type QemuMachine } from './architectures.ts';

/** What every start has in common. */
interface MachineOptions {
  /** Default: x86_64. */
  architecture?: TargetName;
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
  /**
   * The first module that the guest is given: a model pack, or Linux's initramfs. Default: none.
   */
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
  /**
   * An image, handed over read-only; or a folder that is shown as a FAT disk, whose application
   * `uefi` starts (architectures.ts).
   */
  path: string;
  /** For an `application`: Linux's command line. */
  commandLine?: string;
  /** Has a VGA adapter, which nobody sees but screenshot() (qmp.ts). Default: none. */
  screen?: boolean;
}

/**
 * QEMU's arguments for one machine without devices but a serial port, which is QEMU's standard
 * input and output. `signal=off` leaves Ctrl-C to us.
 */
export function qemuArguments(options: QemuOptions): string[] {
  const { machine, kernel, initrd, commandLine } = options;
  return [
    ...machineArguments(machine, options),
    ...['-kernel', kernel],
    ...(initrd === undefined ? [] : ['-initrd', initrd]),
    ...(commandLine === undefined ? [] : ['-append', commandLine]),
  ];
}

export function startQemu(options: QemuOptions): Child {
  return start(qemuArguments(options), options);
}

/**
 * QEMU's arguments for a PC (q35, AHCI, PS/2 keyboard) that boots from one medium. UEFI's variables
 * are only a start: QEMU keeps what firmware writes to itself.
 */
export function firmwareArguments(options: FirmwareOptions): string[] {
  const { firmware, medium, path, commandLine = '', screen } = options;
  const { qemu, uefi } = targetNamed(options.architecture ?? DEFAULT_TARGET);
  const code = toolNamed(uefi.tool).file ?? '';
  const flash = 'if=pflash,format=raw';
  const file = (path: string) => `file=${path.replaceAll(',', ',,')}`;
  return [
    ...machineArguments(qemu.withFirmware, options),
    ...(firmware === 'bios'
      ? []
      : [
          ...['-drive', `${flash},unit=0,readonly=on,${file(code)}`],
          ...['-drive', `${flash},unit=1,snapshot=on,${file(uefi.variables)}`],
        ]),
    ...(medium === 'application'
      ? ['-kernel', path, '-append', commandLine]
      : [
          ...['-blockdev', JSON.stringify(mediumNode(medium, path))],
          // virtio: AHCI's disks cannot be read-only, and firmware needs a second more to find a
          // USB stick.
          ...['-device', medium === 'cd' ? 'ide-cd,drive=medium' : 'virtio-blk-pci,drive=medium'],
        ]),
    ...(screen ? ['-device', 'VGA'] : []),
  ];
}

/**
 * As JSON: in QEMU's own notation a colon ends a protocol or an option of its FAT, and a comma an
 * option.
 */
function mediumNode(medium: Medium, path: string): object {
  const source =
    medium === 'folder' ? { driver: 'vvfat', dir: path } : { driver: 'file', filename: path };
  return { driver: 'raw', 'node-name': 'medium', 'read-only': true, file: source };
}

/**
 * Starts what lies on a medium by a PC's firmware. On UEFI the serial port carries the firmware's
 * words first.
 */
export function startFirmware(options: FirmwareOptions): Child {
  const { qemu, uefi } = targetNamed(options.architecture ?? DEFAULT_TARGET);
  requireTool(qemu.tool);
  if (options.firmware === 'uefi') requireTool(uefi.tool);
  return start(firmwareArguments(options), options);
}

function machineArguments(machine: QemuMachine, options: MachineOptions): string[] {
  const { qemu } = targetNamed(options.architecture ?? DEFAULT_TARGET);
  const memory = Math.ceil(options.memoryBytes / 2 ** 20);
  return [
    ...['-M', qemu.machines[machine]],
    ...['-accel', 'tcg', '-cpu', qemu.cpu],
    ...['-m', `${memory}M`],
    ...['-smp', String(options.processors ?? 1)],
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    ...qemu.debugExit,
    ...(options.qmp === undefined
      ? []
      : ['-qmp', `unix:${options.qmp.replaceAll(',', ',,')},server=on,wait=off`]),
  ];
}

function start(args: readonly string[], { architecture = DEFAULT_TARGET }: MachineOptions): Child {
  const [command, ...leading] = requireTool(targetNamed(architecture).qemu.tool);
  return startChild(command, [...leading, ...args]);
}
