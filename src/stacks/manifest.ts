/**
 * What `mu build` writes beside the files of an image: what they were made from, what they are and
 * how much memory they need. `mu boot` reads nothing else.
 */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CacheType } from '../plan/sizes.ts';
import { type TargetName, targetNamed } from '../toolchain/architectures.ts';
import { hashFile } from '../toolchain/cache.ts';
import type { Firmware } from '../toolchain/qemu.ts';
import type { ModelFacts, PreparedGuest, PreparedPack } from './prepare.ts';

export const STACKS = ['linux', 'diet', 'unikernel', 'metal'] as const;
export type StackName = (typeof STACKS)[number];

export const MANIFEST_NAME = 'manifest.json';

export interface BuiltFile {
  name: string;
  /** One line: what it is, how it boots. */
  what: string;
  bytes: number;
  sha256: string;
}

/** RAM, as a sum. */
export interface MachineMemory {
  parts: { what: string; bytes: number }[];
  /** What the machine must have: the sum, in whole MiB. */
  total: number;
}

export interface Manifest {
  version: 2;
  stack: StackName;
  architecture: TargetName;
  model: ModelFacts;
  /** ctxShift: whether the older half of a full context makes room; unknown to older images, as
   * kv: how keys and values are cached. */
  options: { context: number; checked: boolean; ctxShift?: boolean; kv?: CacheType };
  files: BuiltFile[];
  memory: MachineMemory;
  /** What starts it, the usual one first; absent: its stack's own. */
  firmware?: readonly Firmware[];
}

/** What a stack's recipe says of the image it has written into a folder. */
export interface ImageDescription {
  stack: StackName;
  prepared: PreparedGuest;
  checked: boolean;
  /** In the folder, by name. */
  files: { name: string; what: string }[];
  memory: MachineMemory['parts'];
  firmware?: readonly Firmware[];
}

/** Throws if the pack that the image was made from is not what was once written to the cache. */
export async function writeManifest(folder: string, image: ImageDescription): Promise<Manifest> {
  const { pack, ctxShift } = image.prepared;
  await requireIntact(pack);
  const manifest: Manifest = {
    version: 2,
    stack: image.stack,
    architecture: image.prepared.guest.architecture,
    model: pack.model,
    options: {
      context: pack.plan.context,
      checked: image.checked,
      ctxShift,
      kv: pack.plan.sizes.cacheType,
    },
    files: await Promise.all(image.files.map((file) => describeFile(folder, file))),
    memory: addUp(image.memory),
    firmware: image.firmware,
  };
  await writeFile(join(folder, MANIFEST_NAME), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

async function describeFile(
  folder: string,
  { name, what }: { name: string; what: string },
): Promise<BuiltFile> {
  const path = join(folder, name);
  return { name, what, bytes: (await stat(path)).size, sha256: await hashFile(path) };
}

async function requireIntact({ path, sha256 }: PreparedPack): Promise<void> {
  const found = await hashFile(path);
  if (found !== sha256) {
    throw new Error(
      `${path} is damaged: SHA-256 ${found}, written was ${sha256}. Remove it and its folder, and build again`,
    );
  }
}

/** Throws if a file of a built folder is not as it was written. */
export async function checkFiles(folder: string, manifest: Manifest): Promise<void> {
  for (const { name, bytes, sha256 } of manifest.files) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    const problem = !found
      ? 'is missing'
      : found.size !== bytes
        ? `has ${found.size} bytes, built were ${bytes}`
        : (await hashFile(path)) !== sha256 && 'is damaged: its SHA-256 is not the built one';
    if (problem) throw new Error(`${path} ${problem}. Build the image again: mu build`);
  }
}

/** RAM in all, in whole MiB: what QEMU and Firecracker count in. */
export function addUp(parts: MachineMemory['parts']): MachineMemory {
  const sum = parts.reduce((total, { bytes }) => total + bytes, 0);
  return { parts, total: Math.ceil(sum / 2 ** 20) * 2 ** 20 };
}

/** The manifest of a built folder; throws if it is none of ours. */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, MANIFEST_NAME);
  let manifest: Manifest;
  try {
    manifest = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new Error(
      `${folder} is not a built image: ${(error as Error).message}. Build one: mu build MODEL --stack STACK -o ${folder}`,
    );
  }
  if (manifest.version !== 2 || !STACKS.includes(manifest.stack)) {
    throw new Error(
      `${path}: expected version 2 and one of the stacks ${STACKS.join(', ')}, found ${manifest.version} and ${manifest.stack}; build it again`,
    );
  }
  targetNamed(manifest.architecture, path);
  return manifest;
}
