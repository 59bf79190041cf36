/**
 * What the tests of images have in common: loaders that are here, and things to put into an image.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';
import { grubLoader } from '../../src/image/grub.ts';
import { limineLoader } from '../../src/image/limine.ts';
import type { BootImage, Loader } from '../../src/image/loader.ts';
import { findLimine } from '../../src/pull/limine.ts';
import { PROJECT_ROOT } from '../../src/toolchain/cache.ts';
import { findTool } from '../../src/toolchain/find.ts';
import type { Qmp } from '../../src/toolchain/qmp.ts';
import type { ToolName } from '../../src/toolchain/tools.ts';

/** Limine's binary release: $LIMINE_DIR, or the folder beside the checkout. */
export const LIMINE_FOLDER = process.env.LIMINE_DIR || join(PROJECT_ROOT, '../shared/limine');
export const limine = findLimine({ folders: [LIMINE_FOLDER] });
/** Stands in the name of what is skipped. */
export const NO_LIMINE = `(needs a binary release of Limine in $LIMINE_DIR or ${LIMINE_FOLDER})`;

/** What is not on this machine of these. */
export function missingTools(...names: ToolName[]): string[] {
  return names.filter((name) => findTool(name).command === null);
}

const withoutGrub = missingTools('xorriso', 'mtools', 'grub', 'grub-bios', 'grub-uefi');
const withoutLimine = missingTools('xorriso', 'mtools');

/** Each loader: how to make it, or why it cannot be. */
export const LOADERS: readonly { name: string; missing: string; make: () => Loader }[] = [
  {
    name: 'Limine',
    missing: limine ? describeMissing(withoutLimine) : ` ${NO_LIMINE}`,
    make: () => limineLoader(limine!),
  },
  { name: 'GRUB', missing: describeMissing(withoutGrub), make: grubLoader },
];

function describeMissing(tools: readonly string[]): string {
  return tools.length === 0 ? '' : ` (needs ${tools.join(', ')})`;
}

/** A folder of its own for a test file, gone afterwards. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mu-image-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Bytes that no compressor and no hole in a file makes smaller; the same for the same seed. */
export function noise(bytes: number, seed: number): Buffer {
  const words = new Uint32Array(Math.ceil(bytes / 4));
  let state = seed;
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[i] = state ^ (state >>> 15);
  }
  return Buffer.from(words.buffer, 0, bytes);
}

/** A Linux system by names alone. */
export const NAMED_IMAGE: BootImage = {
  protocol: 'linux',
  kernel: 'k',
  modules: ['a', 'b'],
  commandLine: 'quiet -- shell',
  title: 'Stories',
};

/**
 * Until the test has finished, nothing that was built before is there. folder: for what is built
 * now.
 */
export function useEmptyCache(folder: string): void {
  const before = process.env.MU_CACHE;
  onTestFinished(() => {
    if (before === undefined) delete process.env.MU_CACHE;
    else process.env.MU_CACHE = before;
  });
  process.env.MU_CACHE = join(folder, 'cache');
}

/** Files as large as the `linux` stack's with stories260K, which no machine would start. */
export function imageIn(folder: string): BootImage {
  const put = (name: string, bytes: number, seed: number) => {
    const path = join(folder, name);
    writeFileSync(path, noise(bytes, seed));
    return path;
  };
  return {
    kernel: put('k', 1_300_000, 1),
    protocol: 'linux',
    modules: [put('i', 1_000_000, 2), put('p', 1_200_000, 3)],
    commandLine: "quiet console=ttyS0 a='b c' -- shell",
    title: 'Stories',
  };
}

/**
 * How many points of the screen are not black. PPM: `P6`, width and height, 255, then three bytes a
 * point. folder: for the picture.
 */
export async function lightPoints(control: Qmp, folder: string): Promise<number> {
  const picture = join(folder, 'screen.ppm');
  await control.execute('screendump', { filename: picture });
  const bytes = readFileSync(picture);
  const [header] = /^P6\n(\d+) (\d+)\n255\n/.exec(bytes.toString('latin1'))!;
  let count = 0;
  for (let at = header.length; at < bytes.length; at += 3) if (bytes[at] > 0x40) count++;
  return count;
}
