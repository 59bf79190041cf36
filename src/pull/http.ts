/**
 * One GET request as the world answers it: redirects, limits of rate, servers that fall silent. A
 * token goes to the server that it is for and to nobody whom that one redirects to.
 */

const CONNECT_MILLISECONDS = 5_000;
const STALL_MILLISECONDS = 30_000;
const MOST_REDIRECTS = 10;

/** A server that asks to be left alone for longer is obeyed by giving up. Seconds. */
const LONGEST_WAIT = 60;
const MOST_WAITS = 3;

export interface RequestOptions {
  headers?: Record<string, string>;
  /** Goes along as long as requests stay with the server of `address`. */
  token?: string;
  signal?: AbortSignal;
  /** Takes lines for people: that a server wants to be waited for. */
  say?: (line: string) => void;
}

export interface Answer {
  response: Response;
  /** Where the answer came from in the end. */
  address: string;
  /**
   * What the first server says of the file that it redirects to (a hub does), and the last one of
   * what it sends.
   */
  stated: { bytes?: number; sha256?: string; validator?: string };
  /** The body, piece by piece; throws where none comes for 30 seconds. */
  body: () => AsyncGenerator<Uint8Array>;
  /** Stops the transfer. */
  cancel: () => Promise<void>;
}

/** No answer at all. */
export class UnreachableError extends Error {
  readonly host: string;

  constructor(host: string, message: string) {
    super(message);
    this.host = host;
  }
}

/** An answer that is no file. */
export class HttpError extends Error {
  readonly status: number;
  /** A hub's own name for what is wrong, such as GatedRepo. */
  readonly code?: string;

  constructor(status: number, host: string, code?: string, more = '') {
    super(`HTTP ${status} from ${host}${code ? ` (${code})` : ''}${more}`);
    this.status = status;
    this.code = code;
  }
}

/**
 * GETs an address. Throws an HttpError where the answer is another than 2xx, after waiting where a
 * server says that it is asked too often, and an Error of one line where nothing can be reached.
 */
export async function get(address: string, options: RequestOptions = {}): Promise<Answer> {
  for (let waits = 0; ; waits++) {
    const answer = await follow(address, options);
    const { response } = answer;
    if (response.ok) return answer;
    await answer.cancel();
    const { host } = new URL(answer.address);
    const seconds = secondsToWait(response);
    const more = seconds === undefined ? '' : `: it asks to be left alone for ${seconds} seconds`;
    if (seconds === undefined || seconds > LONGEST_WAIT || waits === MOST_WAITS) {
      throw new HttpError(response.status, host, errorCode(response), more);
    }
    options.say?.(`${host} is busy: waiting for ${seconds} seconds`);
    await pause(seconds * 1000, options.signal);
  }
}

/** A hub's name for an error comes from outside: letters only, and not many. */
function errorCode({ headers }: Response): string | undefined {
  return /^[A-Za-z]{1,40}$/.exec(headers.get('x-error-code') ?? '')?.[0];
}

/** Of 429 and 503 with Retry-After, which is a number of seconds or a date. */
function secondsToWait({ status, headers }: Response): number | undefined {
  const text = headers.get('retry-after');
  if ((status !== 429 && status !== 503) || text === null) return undefined;
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, Math.ceil(seconds));
}

function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
  });
}

async function follow(start: string, options: RequestOptions): Promise<Answer> {
  const first = checkAddress(start);
  const stated: Answer['stated'] = {};
  let { token } = options;
  let url = first;
  for (let redirects = 0; ; redirects++) {
    const { response, ...answer } = await ask(url, token, options);
    if (url.origin === first.origin) Object.assign(stated, linkedFile(response.headers));
    const location = response.headers.get('location');
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) {
      stated.bytes ??= contentLength(response.headers);
      stated.validator = validatorOf(response.headers);
      return { response, address: url.href, stated, ...answer };
    }
    await answer.cancel();
    const next = checkAddress(location, url);
    if (redirects === MOST_REDIRECTS) throw new Error(`${first.host} redirects without end`);
    if (url.protocol === 'https:' && next.protocol !== 'https:') {
      throw new Error(`${url.host} redirects to ${next.host} without encryption`);
    }
    if (next.origin !== first.origin) token = undefined; // and it does not come back
    url = next;
  }
}

/** Throws where it is none that can be fetched. */
export function checkAddress(text: string, base?: URL): URL {
  if (!URL.canParse(text, base?.href)) throw new Error(`${text} is no address`);
  const url = new URL(text, base);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new Error(`${url.protocol}//${url.host}: expected https or http`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new Error(`${url.host}: an address with a password in it is not supported`);
  }
  return url;
}

/** One request, without redirects. */
async function ask(
  url: URL,
  token: string | undefined,
  { headers, signal }: RequestOptions,
): Promise<Omit<Answer, 'stated' | 'address'>> {
  const watchdog = new AbortController();
  const stop = signal ? AbortSignal.any([signal, watchdog.signal]) : watchdog.signal;
  let timer: NodeJS.Timeout | undefined;
  const expect = (milliseconds: number, what: string) => {
    clearTimeout(timer);
    const why = `no ${what} within ${milliseconds / 1000} seconds`;
    timer = setTimeout(() => watchdog.abort(new Error(why)), milliseconds);
  };
  const describe = (error: unknown) => {
    clearTimeout(timer);
    if (signal?.aborted) return signal.reason;
    return watchdog.signal.aborted ? watchdog.signal.reason : error;
  };
  expect(CONNECT_MILLISECONDS, 'answer');
  try {
    const response = await fetch(url, {
      headers: {
        'accept-encoding': 'identity', // sizes are those of the file
        'user-agent': 'muinference',
        ...headers,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      redirect: 'manual',
      signal: stop,
    });
    clearTimeout(timer);
    return {
      response,
      async *body() {
        expect(STALL_MILLISECONDS, 'data');
        try {
          for await (const piece of response.body ?? []) {
            clearTimeout(timer); // who takes the pieces may be slow
            yield piece;
            expect(STALL_MILLISECONDS, 'data');
          }
        } catch (error) {
          const reason = describe(error);
          throw reason === error ? new Error(describeFetchError(error)) : reason;
        } finally {
          clearTimeout(timer);
        }
      },
      cancel: async () => {
        await response.body?.cancel().catch(() => {});
      },
    };
  } catch (error) {
    const reason = describe(error);
    if (signal?.aborted) throw reason;
    const message = reason === error ? describeFetchError(error) : reason.message;
    throw new UnreachableError(url.host, message);
  }
}

/** `X-Linked-Size` and `X-Linked-Etag`: of a file in large-file storage its size and SHA-256. */
function linkedFile(headers: Headers): { bytes?: number; sha256?: string } {
  const bytes = wholeNumber(headers.get('x-linked-size'));
  const [sha256] = /[0-9a-f]{64}/.exec(headers.get('x-linked-etag') ?? '') ?? [];
  return { ...(bytes === undefined ? {} : { bytes }), ...(sha256 ? { sha256 } : {}) };
}

function contentLength(headers: Headers): number | undefined {
  return wholeNumber(headers.get('content-length'));
}

function wholeNumber(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** What changes when the file does. */
function validatorOf(headers: Headers): string | undefined {
  const parts = ['etag', 'last-modified'].map((name) => headers.get(name)).filter(Boolean);
  return parts.length === 0 ? undefined : parts.join(' ');
}

/** fetch says only "fetch failed", or "terminated"; the reason is its cause. */
function describeFetchError(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  const reason = cause?.code ?? cause?.message;
  return reason ? `${message}: ${reason}` : message;
}
