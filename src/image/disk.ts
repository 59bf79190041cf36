/** What Linux says of a whole disk, and who uses it: /sys and /proc only, nothing is opened. */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export interface Disk {
  /** What was asked for, without links: /dev/sdb */
  path: string;
  bytes: number;
  /** '' where the disk does not tell. */
  model: string;
  serial: string;
  /** USB sticks and card readers say so; USB disks mostly do not. */
  isRemovable: boolean;
  isReadOnly: boolean;
  /**
   * One line each: a mounted partition, swap, what LVM, RAID or encryption is built on. Empty:
   * nobody.
   */
  uses: string[];
}

/** Sizes in /sys are in sectors of 512 bytes, whatever the disk's own are. */
const SECTOR = 512;

/** path: of a whole disk's device file; throws if it is none. */
export function readDisk(path: string, sys = '/sys', proc = '/proc'): Disk {
  const device = realpathSync(path);
  const status = statSync(device);
  if (!status.isBlockDevice()) {
    throw new Error(`${path} is no disk: expected a device like /dev/sdb (lsblk lists them)`);
  }
  // Linux: 12 bits of major number above 8 of minor, the minor's further bits above both.
  const major = Math.floor(status.rdev / 256) & 0xfff;
  const minor = (status.rdev & 0xff) | (Math.floor(status.rdev / 2 ** 12) & 0xfff00);
  return describeDisk(device, realpathSync(join(sys, 'dev/block', `${major}:${minor}`)), sys, proc);
}

/** folder: the disk's in /sys/devices. */
export function describeDisk(path: string, folder: string, sys: string, proc: string): Disk {
  if (existsSync(join(folder, 'partition'))) {
    const whole = join(dirname(path), basename(dirname(folder)));
    throw new Error(`${path} is a partition: expected the whole disk, ${whole}`);
  }
  return {
    path,
    bytes: Number(readWord(folder, 'size')) * SECTOR,
    model: readWord(folder, 'device/model') || readWord(folder, 'device/name'),
    serial: findSerial(folder, sys),
    isRemovable: readWord(folder, 'removable') === '1',
    isReadOnly: readWord(folder, 'ro') === '1',
    uses: findUses(folder, proc),
  };
}

function readWord(folder: string, name: string): string {
  const path = join(folder, name);
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
}

/**
 * The disk's own, or the nearest device's that it is a part of: an NVMe controller's, a USB
 * stick's.
 */
function findSerial(folder: string, sys: string): string {
  for (let at = folder; at.startsWith(`${sys}/`); at = dirname(at)) {
    const serial = readWord(at, 'serial') || readWord(at, 'device/serial');
    if (serial !== '') return serial;
  }
  return '';
}

function findUses(folder: string, proc: string): string[] {
  const partitions = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'partition')))
    .map((entry) => join(folder, entry.name));
  return [folder, ...partitions].flatMap((part) => usesOf(part, proc));
}

/** part: the folder of a disk or a partition. */
function usesOf(part: string, proc: string): string[] {
  const device = `/dev/${basename(part)}`;
  const number = readWord(part, 'dev');
  // Fields, proc(5): 3 major:minor, 5 mount point; behind " - " file system and source. A file
  // system on several disks has a number of its own.
  const mounts = readFileSync(join(proc, 'self/mountinfo'), 'utf8')
    .split('\n')
    .map((line) => [line.split(' '), line.split(' - ')[1]?.split(' ')] as const)
    .filter(([fields, source]) => fields[2] === number || source?.[1] === device)
    .map(([fields]) => `${device} is mounted on ${fields[4]}`);
  const swaps = readFileSync(join(proc, 'swaps'), 'utf8')
    .split('\n')
    .filter((line) => line.split(/\s/)[0] === device)
    .map(() => `${device} is swap`);
  const holders = join(part, 'holders');
  const held = (existsSync(holders) ? readdirSync(holders) : []).map(
    (name) => `${device} is a part of /dev/${name} (LVM, RAID or encryption)`,
  );
  return [...mounts, ...swaps, ...held];
}
