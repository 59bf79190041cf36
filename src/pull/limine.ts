/**
 * Limine's binary releases. No package of Debian has Limine, so it comes from a folder that a
 * person names, from where `make install` puts it, or from the one release that `mu pull limine`
 * fetches.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, cacheFolders } from '../toolchain/cache/folders.ts';
import { fetchFile, type TransferOptions } from './download.ts';

/** A folder with a usable release. */
export interface LimineRelease {
  folder: string;
  version: string;
  /** UEFI application for x86-64. */
  efiProgram: string;
  /** Second and third stage on BIOS: a file that the first ones look for. */
  biosSystem: string;
  /** El Torito boot image for BIOS. */
  biosCd: string;
  /** First stages for a disk, as the array of bytes that their installer is compiled with. */
  biosDisk: string;
}

const FILES = {
  efiProgram: 'BOOTX64.EFI',
  biosSystem: 'limine-bios.sys',
  biosCd: 'limine-bios-cd.bin',
  biosDisk: 'limine-bios-hdd.h',
} as const;

/** limine.conf's syntax came with 8. */
const OLDEST_MAJOR = 8;

const INSTALL_FOLDERS: readonly string[] = [
  '/usr/share/limine',
  '/usr/local/share/limine',
  '/opt/limine',
  '/opt/limine/share/limine',
];

export interface LimineOptions {
  /** A folder that must have it: --limine. */
  folder?: string;
  /** Where else to look, in this order. Default: usual install folders, then the cache. */
  folders?: readonly string[];
}

/**
 * The release in `folder`, else in $LIMINE_DIR, else the first found elsewhere; null: nowhere. A
 * folder that a person named and that will not do is an error.
 */
export function findLimine({ folder, folders }: LimineOptions = {}): LimineRelease | null {
  const named = folder ?? process.env.LIMINE_DIR;
  if (named) {
    const release = readRelease(named);
    if (typeof release !== 'string') return release;
    const source = folder === undefined ? 'LIMINE_DIR' : '--limine';
    throw new Error(
      `${source} ${named}: ${release}. Expected the folder of a binary release of Limine ${OLDEST_MAJOR} or newer`,
    );
  }
  for (const place of folders ?? [...INSTALL_FOLDERS, ...pulledFolders()]) {
    const release = readRelease(place);
    if (typeof release !== 'string') return release;
  }
  return null;
}

/** The same, for what only Limine can start. */
export function requireLimine(options: LimineOptions = {}): LimineRelease {
  const release = findLimine(options);
  if (release) return release;
  throw new Error(
    'Limine is not here, and no other loader starts this ISO: --limine DIR with a binary release, or mu pull limine',
  );
}

/** The release in a folder, or what is wrong with it. */
function readRelease(folder: string): LimineRelease | string {
  const missing = Object.values(FILES).filter((name) => !existsSync(join(folder, name)));
  if (missing.length > 0) return `it has no ${missing.join(', ')}`;
  const [efiProgram, biosSystem, biosCd, biosDisk] = Object.values(FILES).map((name) =>
    join(folder, name),
  );
  const version = /Limine (\d+)\.\d+[.\d]*/.exec(readFileSync(efiProgram, 'latin1'));
  if (!version) return `${FILES.efiProgram} names no version of Limine`;
  const found = version[0].slice('Limine '.length);
  if (Number(version[1]) < OLDEST_MAJOR) return `it is Limine ${found}`;
  return { folder, version: found, efiProgram, biosSystem, biosCd, biosDisk };
}

/** A release to be fetched, file by file; `address` is that of their folder. */
export interface KnownRelease {
  version: string;
  license: string;
  address: string;
  files: Record<string, { bytes: number; sha256: string }>;
}

/**
 * The commit of the tag v8.2.0-binary in Limine's own repository. A commit's files never change.
 */
export const KNOWN_LIMINE: KnownRelease = {
  version: '8.2.0',
  license: 'BSD-2-Clause',
  address:
    'https://raw.githubusercontent.com/limine-bootloader/limine/1dbdf77f82211c42969c7c5114377436fabc9187',
  files: {
    LICENSE: {
      bytes: 1297,
      sha256: '2da3926086b570229dd844ae2ed427d51fb8981b3e97625c19c1d507ba7648f9',
    },
    'BOOTX64.EFI': {
      bytes: 245_760,
      sha256: '7bf99f9ffdbce1443bd7f148f01bee47d4a587f58fb170e42dab29790e6d831a',
    },
    'limine-bios.sys': {
      bytes: 209_492,
      sha256: '8382e36ff9d51e52e9160842f834a346028edf9e0319b1c728d290e3044a44a7',
    },
    'limine-bios-cd.bin': {
      bytes: 24_576,
      sha256: '3b889bf946b1f248c93efa90fd1718aad79f867e8184f9167a0b9875a0c41191',
    },
    'limine-bios-hdd.h': {
      bytes: 134_444,
      sha256: '95929ac04f603483f72781508f35f07854e1933188bc7558d89c0e7710c5749b',
    },
  },
};

export function bytesOf({ files }: KnownRelease): number {
  return Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** The folder that `mu pull limine` has filled; null: it has not. */
export function findPulled(): string | null {
  return pulledFolders().find((folder) => typeof readRelease(folder) !== 'string') ?? null;
}

/** Where `mu pull limine` puts it, or has put it. */
const PULLED = join('limine', KNOWN_LIMINE.version);
const pulledFolders = () => cacheFolders(PULLED);

/**
 * Fetches what of a release is not in `folder` yet, every file checked by its SHA-256; an
 * interrupted transfer goes on where it stopped. Throws with what was tried and what to do.
 */
export async function pullLimine(
  options: TransferOptions = {},
  release: KnownRelease = KNOWN_LIMINE,
  folder = cacheFolder(PULLED),
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const { address, files, version } = release;
  const total = bytesOf(release);
  let before = 0;
  for (const [name, { bytes, sha256 }] of Object.entries(files)) {
    const target = join(folder, name);
    if ((await hashOf(target)) !== sha256) {
      const onProgress = (have: number, _: number, what: string) =>
        options.onProgress?.(before + have, total, what);
      try {
        const file = { address: `${address}/${name}`, bytes, sha256 };
        await fetchFile(file, target, { ...options, onProgress });
      } catch (error) {
        options.signal?.throwIfAborted();
        throw new Error(
          `Limine ${version}: ${address}/${name}: ${(error as Error).message}. ` +
            `Connect to a network, or copy a binary release's files to ${folder}, or name their folder with --limine`,
        );
      }
    }
    before += bytes;
  }
  return folder;
}

/** SHA-256 of a small file, in hexadecimal; null: it is not there. */
async function hashOf(path: string): Promise<string | null> {
  const bytes = await readFile(path).catch(() => null);
  return bytes && createHash('sha256').update(bytes).digest('hex');
}
