/**
 * GRUB 2.06 from Debian as the loader of an image, where there is no Limine: only the modules that
 * it takes to find an ISO and start Linux, with their commands built in instead of a configuration
 * file that is looked for.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findTool, requireTool } from '../toolchain/find.ts';
import { type BootImage, type Loader, type LoaderParts, VOLUME } from './loader.ts';
import { runImageTool } from './tools.ts';

/** Of the packages grub-pc-bin and grub-efi-amd64-bin. */
const BIOS_FOLDER = '/usr/lib/grub/i386-pc';
const UEFI_FOLDER = '/usr/lib/grub/x86_64-efi';

/** Each brings those that it needs: `linux` on BIOS even the whole of `normal`. */
const BIOS_MODULES = ['biosdisk', 'iso9660', 'search_label', 'linux', 'vbe'];
const UEFI_MODULES = ['iso9660', 'search_label', 'linux', 'efi_gop'];

export function grubLoader(): Loader {
  for (const tool of ['grub', 'grub-bios', 'grub-uefi'] as const) requireTool(tool);
  return { name: 'GRUB', version: findTool('grub').version ?? 'unknown', makeParts };
}

function makeParts(image: BootImage, folder: string): LoaderParts {
  const commands = join(folder, 'grub.cfg');
  writeFileSync(commands, grubCommands(image));
  const make = (format: string, from: string, modules: readonly string[]): string => {
    const output = join(folder, `grub-${format}`);
    const options = ['-O', format, '-d', from, '-p', '/', '-c', commands, '-o', output];
    runImageTool([...requireTool('grub'), ...options, ...modules]);
    return output;
  };
  return {
    files: { 'grub.bin': make('i386-pc-eltorito', BIOS_FOLDER, BIOS_MODULES) },
    biosImage: 'grub.bin',
    efiProgram: make('x86_64-efi', UEFI_FOLDER, UEFI_MODULES),
    // The MBR starts the same file as a CD does; xorriso tells both where it lies.
    diskBoot: ['--grub2-boot-info', '--grub2-mbr', join(BIOS_FOLDER, 'boot_hybrid.img')],
  };
}

/**
 * What GRUB does, in the small language that it knows without its `normal` module: no menu, no
 * shell.
 */
export function grubCommands({ protocol, commandLine = '', modules }: BootImage): string {
  if (protocol !== 'linux') throw new Error(`GRUB does not know the protocol ${protocol}`);
  if (/[\r\n]/.test(commandLine)) {
    throw new Error(`commandLine ${JSON.stringify(commandLine)}: expected no line break`);
  }
  const archives = modules.map((_, i) => `/module${i}`).join(' ');
  return [
    `search.fs_label ${VOLUME} root`,
    'set gfxpayload=auto',
    `linux /kernel ${quoteWords(commandLine)}`,
    ...(archives === '' ? [] : [`initrd ${archives}`]),
    ...['boot', ''],
  ].join('\n');
}

/**
 * GRUB joins its arguments by spaces again, so each word is quoted by itself, and no quotes remain
 * around them.
 */
function quoteWords(text: string): string {
  const words = text.split(' ').filter((word) => word !== '');
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
}
