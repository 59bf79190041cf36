/** A boot loader and what it is told of an image: what Limine and GRUB have in common. */
import type { TargetName } from '../toolchain/architectures.ts';

/** The file system's name; GRUB finds it by that. */
export const VOLUME = 'MUINFERENCE';

/** A system, as a loader starts it. */
export interface BootImage {
  /** Default: x86_64. */
  architecture?: TargetName;
  /** How it is entered. GRUB knows only `linux`. */
  protocol: 'linux' | 'limine';
  /** bzImage, or an ELF of the machine pc. */
  kernel: string;
  /**
   * Handed over in this order: cpio archives that Linux unpacks into the same file system, or a
   * model pack.
   */
  modules: readonly string[];
  /** Default: none. */
  commandLine?: string;
  /** What the loader calls it. */
  title: string;
  /**
   * An EFI application that UEFI starts in place of the loader. It finds the modules beside it,
   * under their own names, and so does the loader by BIOS.
   */
  efiProgram?: string;
}

/** A boot loader, ready to be put into images. */
export interface Loader {
  /** What people call it. */
  name: 'Limine' | 'GRUB';
  version: string;
  /** Writes what it needs for this image into `folder`, or points to what it has. */
  makeParts(image: BootImage, folder: string): LoaderParts;
}

/**
 * What a loader adds to an image. Files lie in the folder that it was given, or in the loader's own
 * release.
 */
export interface LoaderParts {
  /** Further files in the ISO's root folder: name there → path here. */
  files: Record<string, string>;
  /** Which of them BIOS loads and starts from a CD (El Torito, no emulation). */
  biosImage: string;
  /** What UEFI starts. */
  efiProgram: string;
  /**
   * xorriso's options for what BIOS loads from a disk: the code of the MBR, and what that loads.
   */
  diskBoot: readonly string[];
}
