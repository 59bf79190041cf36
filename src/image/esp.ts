import { rmSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { requireTool } from '../toolchain/find.ts';
import { runImageTool } from './tools.ts';

/** A file of an EFI system partition. */
export interface EspFile {
  /**
   * Where it goes: `EFI/BOOT/BOOTX64.EFI`, say, what firmware starts from removable media on
   * x86-64.
   */
  path: string;
  /** Where it lies now. */
  file: string;
}

const SECTOR = 512;
/**
 * FAT's own limit between 12 and 16 bits per cluster, and between 16 and 32 (Microsoft's FAT
 * specification 1.03, p. 14).
 */
const FAT12_CLUSTERS = 4084;
const FAT16_CLUSTERS = 65_524;
/** Formatting tools count differently near these limits: nobody comes closer than this. */
const MARGIN = 64;
/** 32 KiB, the largest cluster that every reader takes. */
const LARGEST_CLUSTER = 64;
/** mformat -r 1: one sector of root directory. */
const ROOT_ENTRIES = 16;

/**
 * Writes a FAT file system that holds these files and has no room for more: an EFI system partition
 * (UEFI 2.10 §13.3) for a disk, or El Torito's image for a CD. Returns its size in bytes, a
 * multiple of 2048.
 */
export function writeEsp(output: string, files: readonly EspFile[]): number {
  const folders = foldersOf(files);
  const sizes = files.map(({ file }) => statSync(file).size);
  const { sectors, clusterSectors } = planFat(sizes, folders.length);
  const [mformat] = requireTool('mtools');
  rmSync(output, { force: true });
  // mtools give the path of an image to a shell, and a file's part behind @@ is an offset: they see
  // neither.
  const [folder, image] = [dirname(output), basename(output)];
  const run = (command: string, ...args: string[]) =>
    runImageTool([command, '-i', image, ...args], folder);
  // -N: the serial number, else random. One head and 32 sectors: a geometry that nobody asks for
  // any more.
  const geometry = ['-h', '1', '-s', '32', '-T', String(sectors)];
  const shape = ['-c', String(clusterSectors), '-r', '1', '-N', '75496e66'];
  run(mformat, '-C', ...geometry, ...shape, '::');
  for (const folder of folders) run('mmd', `::/${folder}`);
  for (const { path, file } of files) run('mcopy', resolve(file), `::/${path}`);
  return sectors * SECTOR;
}

/** All folders that the files lie in, outer ones first. */
function foldersOf(files: readonly EspFile[]): string[] {
  const folders = new Set<string>();
  for (const { path } of files) {
    const parts = path.split('/').slice(0, -1);
    parts.forEach((_, i) => {
      folders.add(parts.slice(0, i + 1).join('/'));
    });
  }
  return [...folders].sort();
}

/**
 * The smallest FAT12 or FAT16 volume for files of these sizes: small clusters first, least is lost
 * in them.
 */
export function planFat(
  sizes: readonly number[],
  folders: number,
): { sectors: number; clusterSectors: number } {
  if (sizes.length + folders > ROOT_ENTRIES) {
    throw new Error(`an EFI system partition of ours holds ${ROOT_ENTRIES} files and folders`);
  }
  for (let clusterSectors = 1; clusterSectors <= LARGEST_CLUSTER; clusterSectors *= 2) {
    const cluster = clusterSectors * SECTOR;
    const used = sizes.reduce((sum, size) => sum + Math.ceil(size / cluster), folders);
    if (used > FAT16_CLUSTERS - MARGIN) continue;
    const bits = used > FAT12_CLUSTERS - MARGIN ? 16 : 12;
    // Too few clusters for FAT16 would be read as FAT12: then some stay empty.
    const clusters = bits === 16 ? Math.max(used, FAT12_CLUSTERS + MARGIN) : used;
    const table = Math.ceil(((clusters + 2) * bits) / 8 / SECTOR);
    const sectors = 1 + 2 * table + 1 + clusters * clusterSectors;
    return { sectors: Math.ceil(sectors / 4) * 4, clusterSectors };
  }
  const total = sizes.reduce((sum, size) => sum + size, 0);
  throw new Error(
    `${total} bytes are too many for an EFI system partition with FAT16: expected less than 2 GiB`,
  );
}
