import { createWriteStream } from 'node:fs';
import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isAbandoned, temporaryName } from '../toolchain/cache/owner.ts';
import { hashFile, isFull, withPlace } from '../toolchain/cache.ts';

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

const CONNECT_MILLISECONDS = 5_000;
const STALL_MILLISECONDS = 30_000;

/** A file as it is known before it is fetched. */
export interface KnownFile {
  address: string;
  bytes: number;
  sha256: string;
}

/**
 * Fetches a file, checks it, and gives it its name when it is whole; an interrupted transfer goes
 * on where it stopped. Two processes that fetch the same do not get into each other's way: the
 * later one begins a part of its own.
 */
export async function fetchFile(
  file: KnownFile,
  target: string,
  options: TransferOptions = {},
): Promise<void> {
  const common = `${target}.part`;
  const own = temporaryName(common);
  await writeFile(own, '');
  const part = (await isBeingFetched(common, own)) ? own : common;
  try {
    await download(file.address, part, file.bytes, options);
    options.signal?.throwIfAborted();
    options.onProgress?.(file.bytes, file.bytes, 'checking');
    await requireContent(part, file.sha256);
    await rename(part, target);
  } catch (error) {
    if (isFull(error)) await rm(part, { force: true });
    throw withPlace(error, dirname(target));
  } finally {
    await rm(own, { force: true });
  }
}

/** Whether another process has made a name of its own beside `common`. */
async function isBeingFetched(common: string, own: string): Promise<boolean> {
  const folder = dirname(common);
  const names = await readdir(folder);
  return names
    .map((name) => join(folder, name))
    .some((path) => path.startsWith(`${common}.`) && path !== own && !isAbandoned(path));
}

/**
 * Throws where a file is not what it should be, and removes it: going on from wrong content would
 * never end well.
 */
export async function requireContent(path: string, sha256: string): Promise<void> {
  const found = await hashFile(path);
  if (found === sha256) return;
  await rm(path, { force: true });
  throw new Error(`what arrived has SHA-256 ${found}, not ${sha256}`);
}

/**
 * Fetches `address` into the file `part`, going on where an earlier try stopped. Throws when the
 * server does not answer in five seconds, stops sending, or sends another size; what has arrived
 * stays for the next try.
 */
async function download(
  address: string,
  part: string,
  total: number,
  { onProgress, signal }: TransferOptions = {},
): Promise<void> {
  let have = await sizeOf(part);
  if (have > total) {
    await rm(part);
    have = 0;
  }
  if (have === total) return;
  const watchdog = new AbortController();
  const stop = signal ? AbortSignal.any([signal, watchdog.signal]) : watchdog.signal;
  const giveUp = (why: string) => watchdog.abort(new Error(why));
  let timer = setTimeout(giveUp, CONNECT_MILLISECONDS, 'no answer within 5 seconds');
  try {
    const headers: Record<string, string> = have > 0 ? { range: `bytes=${have}-` } : {};
    const response = await fetch(address, { headers, signal: stop });
    if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
    if (response.status !== 206) have = 0; // the server sends everything from the start
    checkLength(response.headers.get('content-length'), total - have);
    const counter = new Transform({
      transform(chunk: Uint8Array, _encoding, done) {
        clearTimeout(timer);
        timer = setTimeout(giveUp, STALL_MILLISECONDS, 'no data for 30 seconds');
        have += chunk.length;
        if (have > total) return done(new Error(`more than the expected ${total} bytes`));
        onProgress?.(have, total, 'downloading');
        done(null, chunk);
      },
    });
    const file = createWriteStream(part, { flags: have > 0 ? 'a' : 'w' });
    const body = Readable.fromWeb(response.body as import('node:stream/web').ReadableStream);
    await pipeline(body, counter, file, { signal: stop });
    if (have !== total) throw new Error(`the transfer ended after ${have} of ${total} bytes`);
  } catch (error) {
    signal?.throwIfAborted();
    if (watchdog.signal.aborted) throw watchdog.signal.reason;
    throw describeFetchError(error);
  } finally {
    clearTimeout(timer);
  }
}

function checkLength(header: string | null, expected: number): void {
  if (header === null || Number(header) === expected) return;
  throw new Error(`the server offers ${header} bytes where ${expected} are expected`);
}

/** 0 where nothing is. */
export async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** fetch says only "fetch failed"; the reason is its cause. */
function describeFetchError(error: unknown): Error {
  if (isFull(error)) return error as Error;
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  const reason = cause?.code ?? cause?.message;
  return new Error(reason ? `${message}: ${reason}` : message, { cause: error });
}
