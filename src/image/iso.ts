/**
 * One ISO image that boots four ways: by BIOS and by UEFI, from a CD and, copied to a USB stick as
 * it is, from a disk.
 *
 *     bytes 0 …          MBR: code for BIOS, two partitions; what that code loads   disk, BIOS
 *     32 KiB …           ISO 9660: /kernel, /module0 …, the loader's files (partition 1)
 *       El Torito          entry 1, BIOS: one of these files                          CD, BIOS
 *                          entry 2, UEFI: the EFI system partition                    CD, UEFI
 *     at the end         EFI system partition: \EFI\BOOT\BOOTX64.EFI (partition 2) disk, UEFI
 */
import { renameSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DEFAULT_TARGET, targetNamed } from '../toolchain/architectures.ts';
import { requireTool } from '../toolchain/find.ts';
import { writeEsp } from './esp.ts';
import { type BootImage, type Loader, VOLUME } from './loader.ts';
import { imageDate, inTemporaryFolder, runImageTool } from './tools.ts';

/**
 * Writes `output`; returns its size in bytes. The same files give the same bytes: all dates are
 * SOURCE_DATE_EPOCH's, or a fixed one, and identifiers are fixed.
 */
export function writeBootIso(image: BootImage, loader: Loader, output: string): number {
  return inTemporaryFolder((folder) => {
    const { application } = targetNamed(image.architecture ?? DEFAULT_TARGET).uefi;
    const parts = loader.makeParts(image, folder);
    const esp = join(folder, 'esp.img');
    const { kernel, modules, efiProgram } = image;
    const files: Record<string, string> = { kernel, ...parts.files };
    if (efiProgram === undefined) {
      writeEsp(esp, [{ path: application, file: parts.efiProgram }]);
      for (const [i, file] of modules.entries()) files[`module${i}`] = file;
    } else {
      const beside = modules.map((file) => ({ path: basename(file), file }));
      writeEsp(esp, [{ path: application, file: efiProgram }, ...beside]);
    }
    return writeIso(output, [
      ...['-b', parts.biosImage, '-no-emul-boot', '-boot-load-size', '4', '-boot-info-table'],
      ...parts.diskBoot,
      // Some BIOSes start only disks that have an active partition.
      ...['-partition_cyl_align', 'off', '--mbr-force-bootable'],
      ...[...appendedEsp(esp), '-eltorito-alt-boot', ...EFI_BOOT],
      '-graft-points',
      ...Object.entries(files).map(([name, file]) => `/${name}=${escapePath(file)}`),
    ]);
  });
}

/**
 * Writes an ISO that boots by UEFI only, from CD and disk: no file but an EFI system partition, as
 * partition 2 and as El Torito's entry. esp: its path. Returns the image's size in bytes; the same
 * partition gives the same bytes.
 */
export function writeEfiIso(esp: string, output: string): number {
  return inTemporaryFolder((folder) => {
    return writeIso(output, [...appendedEsp(esp), ...EFI_BOOT, folder]);
  });
}

/** The partition lies behind the file system. */
function appendedEsp(esp: string): string[] {
  return ['-append_partition', '2', '0xef', esp];
}

const EFI_BOOT = ['-e', '--interval:appended_partition_2:all::', '-no-emul-boot'];

/** Runs xorriso; contents: what boots, and what goes into the file system. */
function writeIso(output: string, contents: readonly string[]): number {
  const unfinished = `${output}.${process.pid}.tmp`;
  try {
    runImageTool([
      ...requireTool('xorriso'),
      ...['-as', 'mkisofs', '-quiet', '-volid', VOLUME, '-no-pad', '-R'],
      ...['-uid', '0', '-gid', '0', '-file-mode', '0444', '-dir-mode', '0555'],
      ...['--set_all_file_dates', `=${imageDate()}`],
      ...['-o', unfinished, ...contents],
    ]);
    renameSync(unfinished, output);
    return statSync(output).size;
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/** In a graft point, = and \ have a meaning. */
function escapePath(path: string): string {
  return path.replace(/[\\=]/g, '\\$&');
}
