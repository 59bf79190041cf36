/** What of a kernel can be reached, by the kernel's own account: it is booted in QEMU and asked. */
import { type ProbedMachine, probeMachine } from './probe.ts';

export interface RuntimeSurface {
  /** Numbers that do not answer "not implemented". */
  systemCalls: number[];
  /** Families that socket(2) opens, by number: address_families(7). */
  socketFamilies: number[];
  /** /proc/filesystems; null: no /proc. */
  fileSystems: string[] | null;
  /** /proc/devices: `4 ttyS`; null: no /proc. */
  characterDevices: string[] | null;
  blockDevices: string[] | null;
  /** `platform/serial8250`, from /sys/bus; null: no /sys. */
  drivers: string[] | null;
  /** Names in /dev where the kernel fills it (devtmpfs); null: it does not. */
  devices: string[] | null;
  hasProcNet: boolean;
  loadsModules: boolean;
  /** Functions that the kernel itself lists (/proc/kallsyms); null: it keeps no list. */
  functions: number | null;
}

/** Numbers up to here are tried; Linux 6.1 has 451. */
const CALLS = 470;
/** AF_MAX of Linux 6.1 */
const FAMILIES = 46;
/** SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET */
const SOCKET_TYPES = [1, 2, 3, 5];
/** socket(2), mount(2), delete_module(2) */
const [SOCKET, MOUNT, DELETE_MODULE] = [41, 165, 176];
const ENOSYS = -38;
/** Buses that drivers of Debian's kernel sit on without further hardware. */
const BUSES =
  'acpi auxiliary cpu dax hid i2c memory node nvmem pci pci_express platform pnp scsi serial serio usb virtio xen'.split(
    ' ',
  );

const PROC = `${MOUNT},proc,/proc,proc,0,0`;
const SYS = `${MOUNT},sys,/sys,sysfs,0,0`;
const DEV = `${MOUNT},dev,/dev,devtmpfs,0,0`;

/**
 * Boots the kernel, some seconds under emulation; throws what it wrote if it does not get so far.
 */
export async function askSurface(machine: ProbedMachine): Promise<RuntimeSurface> {
  const sockets = Array.from({ length: FAMILIES }, (_, family) =>
    SOCKET_TYPES.map((type) => `${SOCKET},${family},${type},0`),
  );
  const modules = `${DELETE_MODULE},nothing,0`;
  const answers = await probeMachine(machine, [
    ...[PROC, SYS, DEV, 'read /proc/filesystems', 'read /proc/devices', 'list /proc/net'],
    ...['list /dev', ...BUSES.map(driversOf), 'read /proc/kallsyms', modules],
    ...sockets.flat(),
    `every ${CALLS}`,
  ]);
  const answer = (request: string) => answers.get(request) ?? '';
  const devices = answer('read /proc/devices').split(/^Block devices:$/m);
  const hasProc = answer(PROC) === '0';
  return {
    systemCalls: [...answer(`every ${CALLS}`)].flatMap((sign, i) => (sign === '+' ? [i] : [])),
    socketFamilies: sockets.flatMap((requests, family) =>
      requests.some((request) => Number(answer(request)) >= 0) ? [family] : [],
    ),
    fileSystems: hasProc
      ? lines(answer('read /proc/filesystems')).map((line) => line.replace(/^nodev\s+/, ''))
      : null,
    characterDevices: hasProc ? lines(devices[0]).filter(isDevice) : null,
    blockDevices: hasProc ? lines(devices[1] ?? '').filter(isDevice) : null,
    drivers:
      answer(SYS) === '0'
        ? BUSES.flatMap((bus) => names(answer(driversOf(bus))).map((name) => `${bus}/${name}`))
        : null,
    devices: answer(DEV) === '0' ? names(answer('list /dev')) : null,
    hasProcNet: names(answer('list /proc/net')).length > 0,
    loadsModules: Number(answer(modules)) !== ENOSYS,
    functions: countFunctions(answer('read /proc/kallsyms')),
  };
}

function driversOf(bus: string): string {
  return `list /sys/bus/${bus}/drivers`;
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function isDevice(line: string): boolean {
  return /^\d+ /.test(line);
}

/** What `list` printed, sorted; nothing if that was an error number. */
function names(list: string): string[] {
  if (/^-?\d+$/.test(list)) return [];
  return list
    .split(' ')
    .filter((name) => !['', '.', '..'].includes(name))
    .sort();
}

/** Lines of address, letter, name, module; nm(1) says what the letters mean. */
function countFunctions(list: string): number | null {
  const addresses = [...list.matchAll(/^([0-9a-f]{16}) [tw] /gim)].map(([, address]) => address);
  return addresses.length === 0 ? null : new Set(addresses).size;
}
