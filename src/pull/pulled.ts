/**
 * Models that are named by where they come from. In the cache's folder of models their files lie
 * below hf/OWNER/REPO and address/HASH; references/HASH.json says which of them a reference means,
 * so that it means the same the next time, without a network.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { contentHash } from '../toolchain/cache/content.ts';
import { cacheFolder, cacheFolders } from '../toolchain/cache/folders.ts';
import { temporaryName } from '../toolchain/cache/owner.ts';
import { hashOf } from '../toolchain/cache.ts';
import {
  askAbout,
  fetchFile,
  type KnownFile,
  partPath,
  requireRoom,
  sizeOf,
  type TransferOptions,
} from './download.ts';
import { HttpError, UnreachableError } from './http.ts';
import { addressOf, type Hub, listFiles, readHub, tokenFor } from './hub.ts';
import { partsOf } from './partNames.ts';
import { choose, findCandidates } from './quantizations.ts';
import { parseReference, type Reference, safeSegments } from './references.ts';

export interface PullOptions extends TransferOptions {
  /** Whether weights of a type can be used: what is taken where nobody says which. Default: all. */
  canRead?: (type: string) => boolean;
}

/** What a reference means. */
interface Pulled {
  /** As a person would write it. */
  reference: string;
  /** The parts in order; paths are below the folder of models. */
  files: { path: string; bytes: number; sha256: string }[];
}

const MODELS = 'models';
const REFERENCES = 'references';

/** Path of a model that was pulled before, of its first part; undefined: it is not here, whole. */
async function findReference({ text }: Reference): Promise<string | undefined> {
  for (const folder of cacheFolders(MODELS)) {
    const pulled = readRecord(join(folder, recordOf(text)));
    if (pulled !== undefined && (await isHere(folder, pulled))) {
      return join(folder, pulled.files[0].path);
    }
  }
  return undefined;
}

/** All that was pulled by a reference: its text, size, and path. */
export async function listReferences(): Promise<{ text: string; bytes: number; path: string }[]> {
  const found = new Map<string, { text: string; bytes: number; path: string }>();
  for (const folder of cacheFolders(MODELS)) {
    const names = await readdir(join(folder, REFERENCES)).catch(() => []);
    for (const name of names.filter((name) => name.endsWith('.json')).sort()) {
      const pulled = readRecord(join(folder, REFERENCES, name));
      if (pulled === undefined || found.has(pulled.reference)) continue;
      const path = join(folder, pulled.files[0].path);
      if (!existsSync(path)) continue;
      const bytes = pulled.files.reduce((sum, file) => sum + file.bytes, 0);
      found.set(pulled.reference, { text: pulled.reference, bytes, path });
    }
  }
  return [...found.values()];
}

/** Path of the model that a reference names, found in the cache or fetched into it. */
export async function pullReference(text: string, options: PullOptions = {}): Promise<string> {
  const reference = parseReference(text);
  const found = await findReference(reference);
  if (found !== undefined) return found;
  const hub = readHub();
  const folder = cacheFolder(MODELS);
  try {
    return await fetchAll(await locate(reference, hub, options), reference, folder, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw new Error(`${reference.text}: ${describeFailure(error as Error, reference, hub)}`, {
      cause: error,
    });
  }
}

/** A file to be fetched, and its path below the folder of models. */
type Located = KnownFile & { path: string };

function locate(reference: Reference, hub: Hub, options: PullOptions): Promise<Located[]> {
  return reference.kind === 'hub'
    ? locateInHub(reference, hub, options)
    : locateByAddress(reference, hub, options);
}

async function locateInHub(
  { repository, wish }: Reference & { kind: 'hub' },
  hub: Hub,
  options: PullOptions,
): Promise<Located[]> {
  const { canRead = () => true, signal, say } = options;
  const listed = await listFiles(hub, repository, { signal, say });
  const { files } = choose(findCandidates(listed), wish, canRead);
  const located: Located[] = [];
  for (const { path, bytes, sha256 } of files) {
    const address = addressOf(hub, repository, path);
    const token = tokenFor(hub, address);
    const file = sha256
      ? { address, bytes, sha256, stamp: sha256, token }
      : await askAbout(address, { signal, say, token });
    located.push({ ...file, path: join('hf', repository, ...safeSegments(path)) });
  }
  return located;
}

async function locateByAddress(
  { address }: Reference & { kind: 'address' },
  hub: Hub,
  { signal, say }: PullOptions,
): Promise<Located[]> {
  const url = new URL(address);
  const paths = partsOf(url.pathname);
  const folder = join('address', hashOf([new URL(paths[0], url).href]).slice(0, 16));
  const located: Located[] = [];
  for (const path of paths) {
    const part = new URL(url);
    part.pathname = path;
    const [name] = safeSegments(decode(basename(path)));
    const token = tokenFor(hub, part.href);
    const file = await askAbout(part.href, { signal, say, token });
    located.push({ ...file, path: join(folder, name) });
  }
  return located;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Fetches what is not there yet, and keeps what it is. */
async function fetchAll(
  located: readonly Located[],
  reference: Reference,
  folder: string,
  options: PullOptions,
): Promise<string> {
  const total = located.reduce((sum, { bytes }) => sum + bytes, 0);
  const [first, ...others] = located;
  const more = others.length > 0 ? ` and ${others.length} more` : '';
  const { host } = new URL(first.address);
  options.say?.(`${reference.text} is not here yet: ${basename(first.path)}${more} from ${host}`);
  let left = total;
  for (const file of located) {
    const target = join(folder, file.path);
    left -= Math.max(await sizeOf(target), await sizeOf(partPath(file, target)));
  }
  await requireRoom(folder, left);
  const files: Pulled['files'] = [];
  let before = 0;
  for (const { path, ...file } of located) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    // Another reference may have brought it.
    const here = (await sizeOf(target)) === file.bytes ? await contentHash(target) : undefined;
    const onProgress = (bytes: number, _: number, what: string) =>
      options.onProgress?.(before + bytes, total, what);
    const isHere = here !== undefined && here === file.sha256;
    const sha256 = isHere ? here : await fetchOne(file, target, { ...options, onProgress });
    files.push({ path, bytes: file.bytes, sha256 });
    before += file.bytes;
  }
  await writeRecord(join(folder, recordOf(reference.text)), { reference: reference.text, files });
  return join(folder, files[0].path);
}

async function fetchOne(
  file: KnownFile,
  target: string,
  options: TransferOptions,
): Promise<string> {
  try {
    return await fetchFile({ ...file, magic: 'GGUF' }, target, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof HttpError || error instanceof UnreachableError) throw error;
    throw new Error(`${basename(target)}: ${(error as Error).message}; try again`, {
      cause: error,
    });
  }
}

function recordOf(text: string): string {
  return join(REFERENCES, `${hashOf([text]).slice(0, 32)}.json`);
}

async function writeRecord(path: string, pulled: Pulled): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryName(path);
  await writeFile(temporary, `${JSON.stringify(pulled, null, 2)}\n`);
  await rename(temporary, path);
}

/** Undefined where there is none, or a damaged one: then the model is fetched anew. */
function readRecord(path: string): Pulled | undefined {
  try {
    const pulled: Pulled = JSON.parse(readFileSync(path, 'utf8'));
    for (const file of pulled.files) safeSegments(file.path);
    return pulled.files.length > 0 ? pulled : undefined;
  } catch {
    return undefined;
  }
}

async function isHere(folder: string, { files }: Pulled): Promise<boolean> {
  for (const { path, bytes, sha256 } of files) {
    const target = join(folder, path);
    if ((await sizeOf(target)) !== bytes || (await contentHash(target)) !== sha256) return false;
  }
  return true;
}

/** What went wrong, and what to do. */
function describeFailure(error: Error, reference: Reference, hub: Hub): string {
  const { message } = error;
  if (error instanceof UnreachableError) {
    return `${error.host}: ${message}; connect to a network, or give the path of a file that is here`;
  }
  if (!(error instanceof HttpError)) return message;
  const { status, code } = error;
  const isHub = reference.kind === 'hub' || tokenFor({ ...hub, token: 'x' }, reference.address);
  const page = reference.kind === 'hub' ? `${hub.endpoint}/${reference.repository}` : hub.endpoint;
  const tokenAdvice = hub.token ? 'with the account of HF_TOKEN' : 'and set HF_TOKEN';
  if (isHub && (status === 403 || code === 'GatedRepo')) {
    return `${message}; ask for access on ${page} ${tokenAdvice}`;
  }
  if (isHub && (status === 401 || code === 'RepoNotFound')) {
    const advice = hub.token
      ? 'HF_TOKEN is valid and may read it'
      : 'set HF_TOKEN if it is private';
    return `${message}: no such repository, or a private one; check the name, ${advice}`;
  }
  if (status === 404) return `${message}: no such file or repository; check the name`;
  if (status === 429) {
    const advice = isHub && !hub.token ? ', or set HF_TOKEN: accounts may ask more often' : '';
    return `${message}; try again later${advice}`;
  }
  return `${message}; try again later`;
}
