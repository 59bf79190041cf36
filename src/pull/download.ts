import { createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** bytes: how many are there; total: how many there will be; what: what is happening, for people. */
export type OnProgress = (bytes: number, total: number, what: string) => void;

export interface TransferOptions {
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

const CONNECT_MILLISECONDS = 5_000;
const STALL_MILLISECONDS = 30_000;

/**
 * Fetches `address` into the file `part`, going on where an earlier try stopped. Throws when the server does not answer in
 * five seconds, stops sending, or sends another size; what has arrived stays for the next try.
 */
export async function download(
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

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** fetch says only "fetch failed"; the reason is its cause. */
function describeFetchError(error: unknown): Error {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  const reason = cause?.code ?? cause?.message;
  return new Error(reason ? `${message}: ${reason}` : message, { cause: error });
}
