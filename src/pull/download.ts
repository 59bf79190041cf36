import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isAbandoned, temporaryName } from '../toolchain/cache/owner.ts';
import { hashFile, hashOf, isFull, withPlace } from '../toolchain/cache.ts';
import { type Answer, get, HttpError } from './http.ts';

/**
 * bytes: how many are there; total: how many there will be; what: what is happening, for people.
 */
export type OnProgress = (bytes: number, total: number, what: string) => void;

export interface TransferOptions {
  onProgress?: OnProgress;
  /** Takes lines for people: what is fetched, what has to be known about it. */
  say?: (line: string) => void;
  signal?: AbortSignal;
}

/** A file as it is known before it is fetched. */
export interface KnownFile {
  address: string;
  bytes: number;
  /** Absent: nobody states it. */
  sha256?: string;
  /** Changes when the file does: only what arrived under the same one is gone on from. */
  stamp?: string;
  /** The bytes that it must begin with, as Latin-1. */
  magic?: string;
  /** For the server of `address` alone. */
  token?: string;
}

/**
 * Fetches a file, checks it, and gives it its name when it is whole; an interrupted transfer goes
 * on where it stopped. Two processes that fetch the same do not get into each other's way: the
 * later one begins a part of its own. Returns the file's SHA-256.
 */
export async function fetchFile(
  file: KnownFile,
  target: string,
  options: TransferOptions = {},
): Promise<string> {
  const common = partPath(file, target);
  const own = temporaryName(common);
  await writeFile(own, '');
  const part = (await isBeingFetched(common, own)) ? own : common;
  try {
    await download(file, part, options);
    options.signal?.throwIfAborted();
    options.onProgress?.(file.bytes, file.bytes, 'checking');
    const sha256 = await requireContent(part, file.sha256);
    await rename(part, target);
    await removeLeftParts(target);
    return sha256;
  } catch (error) {
    if (isFull(error)) await rm(part, { force: true });
    throw withPlace(error, dirname(target));
  } finally {
    await rm(own, { force: true });
  }
}

/** What is beside a file that has arrived: of earlier states of it, and of processes that died. */
async function removeLeftParts(target: string): Promise<void> {
  const names = await readdir(dirname(target));
  const paths = names.map((name) => join(dirname(target), name));
  for (const path of paths.filter((path) => path.startsWith(`${target}.`))) {
    const isLeft = path.endsWith('.part') ? !(await isBeingFetched(path)) : isAbandoned(path);
    if (isLeft) await rm(path, { force: true });
  }
}

/** Where what has arrived of a file waits for the rest. */
export function partPath({ stamp }: KnownFile, target: string): string {
  return stamp === undefined ? `${target}.part` : `${target}.${hashOf([stamp]).slice(0, 12)}.part`;
}

/** Whether another process has made a name of its own beside `common`. */
async function isBeingFetched(common: string, own?: string): Promise<boolean> {
  const folder = dirname(common);
  const names = await readdir(folder);
  return names
    .map((name) => join(folder, name))
    .some((path) => path.startsWith(`${common}.`) && path !== own && !isAbandoned(path));
}

/**
 * SHA-256 of a file. Throws where another is expected, and removes the file: going on from wrong
 * content would never end well.
 */
export async function requireContent(path: string, sha256?: string): Promise<string> {
  const found = await hashFile(path);
  if (sha256 === undefined || found === sha256) return found;
  await rm(path, { force: true });
  throw new Error(`what arrived has SHA-256 ${found}, not ${sha256}`);
}

/**
 * What a server says of a file: its size, and by what to know its content. Throws where it sends
 * something else than a file, or does not say how long it is.
 */
export async function askAbout(
  address: string,
  options: TransferOptions & { token?: string },
): Promise<KnownFile> {
  const answer = await get(address, options);
  await answer.cancel();
  requireFile(answer);
  const { bytes, sha256, validator } = answer.stated;
  if (bytes === undefined) throw new Error('the server does not say how long the file is');
  // Without anything that would change with the file, no later try may go on from this one.
  const stamp = sha256 ?? (validator ? `${validator} ${bytes}` : randomUUID());
  return { address, bytes, sha256, stamp, token: options.token };
}

/**
 * Fetches into the file `part`, going on where an earlier try stopped. Throws when the server does
 * not answer in five seconds, stops sending, or sends another size; what has arrived stays for the
 * next try.
 */
async function download(file: KnownFile, part: string, options: TransferOptions): Promise<void> {
  const total = file.bytes;
  let have = await sizeOf(part);
  if (have > total) {
    await rm(part);
    have = 0;
  }
  if (have === total) return;
  await requireRoom(dirname(part), total - have);
  const answer = await getFrom(have, file, options);
  const isRest = answer.response.status === 206;
  if (!isRest) have = 0; // the server sends everything from the start
  try {
    requireFile(answer);
    if (isRest) checkRange(answer.response.headers.get('content-range'), have, total);
    checkLength(answer.response.headers.get('content-length'), total - have);
  } catch (error) {
    await answer.cancel();
    throw error;
  }
  const pieces = async function* () {
    for await (const piece of answer.body()) {
      if (have === 0) checkMagic(piece, file.magic);
      have += piece.length;
      if (have > total) throw new Error(`more than the expected ${total} bytes`);
      options.onProgress?.(have, total, 'downloading');
      yield piece;
    }
  };
  await pipeline(pieces(), createWriteStream(part, { flags: have > 0 ? 'a' : 'w' }));
  if (have !== total) throw new Error(`the transfer ended after ${have} of ${total} bytes`);
}

/** From the start where the server says that nothing lies there (416). */
async function getFrom(
  start: number,
  { address, token }: KnownFile,
  { signal, say }: TransferOptions,
): Promise<Answer> {
  if (start > 0) {
    try {
      const headers = { range: `bytes=${start}-` };
      return await get(address, { headers, token, signal, say });
    } catch (error) {
      if (!(error instanceof HttpError && error.status === 416)) throw error;
    }
  }
  return get(address, { token, signal, say });
}

/** Networks that want a person to log in answer everything with a page. */
function requireFile({ response: { headers }, address }: Answer): void {
  const { host } = new URL(address);
  if (headers.get('content-type')?.includes('text/html')) {
    throw new Error(`${host} sends a page in place of the file (text/html)`);
  }
  const encoding = headers.get('content-encoding') ?? 'identity';
  if (encoding !== 'identity') throw new Error(`${host} sends the file packed (${encoding})`);
}

/** `bytes START-END/TOTAL`, TOTAL may be *. */
function checkRange(header: string | null, start: number, total: number): void {
  const [, from, of] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(header ?? '') ?? [];
  if (header === null || (Number(from) === start && (of === '*' || Number(of) === total))) return;
  throw new Error(`the server sends ${header} where ${start} up to ${total} bytes are expected`);
}

function checkLength(header: string | null, expected: number): void {
  if (header === null || Number(header) === expected) return;
  throw new Error(`the server offers ${header} bytes where ${expected} are expected`);
}

function checkMagic(piece: Uint8Array, magic = ''): void {
  const found = Buffer.from(piece.subarray(0, magic.length)).toString('latin1');
  if (magic.startsWith(found)) return; // a first piece may be short
  throw new Error(`what arrives begins with ${JSON.stringify(found)}, not with "${magic}"`);
}

/** Throws where a disk has not so many bytes left. */
export async function requireRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (bytes <= free) return;
  throw new Error(
    `${folder}: ${bytes} bytes are to come and ${free} are free; make room, or set MU_CACHE`,
  );
}

/** 0 where nothing is. */
export async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
