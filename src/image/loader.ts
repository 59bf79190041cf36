import { findLimine } from '../pull/limine.ts';
import { ensureTools, type Say } from '../toolchain/install.ts';
import { grubLoader } from './grub.ts';
import type { BootImage } from './iso.ts';
import { limineLoader } from './limine.ts';

/** A boot loader, ready to be put into images. */
export interface Loader {
  /** What people call it. */
  name: 'Limine' | 'GRUB';
  version: string;
  /** Writes what it needs for this image into `folder`, or points to what it has. */
  makeParts(image: BootImage, folder: string): LoaderParts;
}

/** What a loader adds to an image. Files lie in the folder that it was given, or in the loader's own release. */
export interface LoaderParts {
  /** Further files in the ISO's root folder: name there → path here. */
  files: Record<string, string>;
  /** Which of them BIOS loads and starts from a CD (El Torito, no emulation). */
  biosImage: string;
  /** \EFI\BOOT\BOOTX64.EFI. */
  efiProgram: string;
  /** xorriso's options for what BIOS loads from a disk: the code of the MBR, and what that loads. */
  diskBoot: readonly string[];
}

export interface LoaderOptions {
  /** A folder with a binary release of Limine: --limine. */
  limine?: string;
}

/**
 * Limine, where there is a release of it (findLimine()), else GRUB from Debian, said in one line. Tools that are missing are
 * installed, or the error says how.
 */
export function findLoader({ limine }: LoaderOptions, say: Say): Loader {
  ensureTools(['xorriso', 'mtools'], say);
  const release = findLimine({ folder: limine });
  if (release) return limineLoader(release);
  say('Limine is not here (--limine DIR, or mu pull limine): using GRUB from Debian');
  ensureTools(['grub', 'grub-bios', 'grub-uefi'], say);
  return grubLoader();
}
