import { findLimine } from '../pull/limine.ts';
import { ensureTools, type Say } from '../toolchain/install.ts';
import { grubLoader } from './grub.ts';
import { limineLoader } from './limine.ts';
import type { Loader } from './loader.ts';

export interface LoaderOptions {
  /** A folder with a binary release of Limine: --limine. */
  limine?: string;
}

/**
 * Limine, where there is a release of it (findLimine()), else GRUB from Debian, said in one line.
 * Tools that are missing are installed, or the error says how.
 */
export function findLoader({ limine }: LoaderOptions, say: Say): Loader {
  ensureTools(['xorriso', 'mtools'], say);
  const release = findLimine({ folder: limine });
  if (release) return limineLoader(release);
  say('Limine is not here (--limine DIR, or mu pull limine): using GRUB from Debian');
  ensureTools(['grub', 'grub-bios', 'grub-uefi'], say);
  return grubLoader();
}
