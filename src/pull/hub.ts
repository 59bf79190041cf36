/**
 * Hugging Face's hub, or what $HF_ENDPOINT names in its place: the list of a repository's files,
 * and where each lies. Source: huggingface_hub (hf_api.py, file_download.py).
 */
import { checkAddress, get, type RequestOptions } from './http.ts';
import type { ListedFile } from './quantizations.ts';

export interface Hub {
  /** Without a slash at its end. */
  endpoint: string;
  token?: string;
}

/** By $HF_ENDPOINT and $HF_TOKEN. */
export function readHub({ HF_ENDPOINT, HF_TOKEN }: NodeJS.ProcessEnv = process.env): Hub {
  const endpoint = (HF_ENDPOINT?.trim() || 'https://huggingface.co').replace(/\/+$/, '');
  try {
    checkAddress(endpoint);
  } catch (error) {
    throw new Error(`HF_ENDPOINT: ${(error as Error).message}`);
  }
  const token = HF_TOKEN?.trim() || undefined;
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new Error('HF_TOKEN: it has characters that no token has');
  }
  return { endpoint, token };
}

/** The token where an address is the hub's, and for nobody else. */
export function tokenFor({ endpoint, token }: Hub, address: string): string | undefined {
  return new URL(address).origin === new URL(endpoint).origin ? token : undefined;
}

export function addressOf({ endpoint }: Hub, repository: string, path: string): string {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  return `${endpoint}/${repository}/resolve/main/${encoded}`;
}

/** A list comes in pages of up to 1000 files. */
const MOST_PAGES = 50;
const MOST_BYTES = 16 * 2 ** 20;

/** All files of a repository. */
export async function listFiles(
  hub: Hub,
  repository: string,
  options: RequestOptions,
): Promise<ListedFile[]> {
  const start = `${hub.endpoint}/api/models/${repository}/tree/main?recursive=true`;
  const files: ListedFile[] = [];
  let address: string | undefined = start;
  for (let page = 0; address !== undefined; page++) {
    if (page === MOST_PAGES) throw new Error(`the list has more than ${MOST_PAGES} pages`);
    const answer = await get(address, { ...options, token: tokenFor(hub, address) });
    files.push(...parsePage(await readText(answer.body())));
    address = nextPage(answer.response.headers.get('link'), answer.address);
    if (address !== undefined && new URL(address).origin !== new URL(start).origin) {
      throw new Error(`the list goes on at ${new URL(address).host}, another server`);
    }
  }
  return files;
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.length;
    if (bytes > MOST_BYTES) throw new Error(`the list has more than ${MOST_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** `[{ "type": "file", "path": "…", "size": 1, "oid": "…", "lfs": { "oid": SHA-256, … } }, …]` */
function parsePage(text: string): ListedFile[] {
  let entries: unknown;
  try {
    entries = JSON.parse(text);
  } catch {
    // said below
  }
  if (!Array.isArray(entries)) throw new Error('the list of files is none');
  return entries.flatMap((entry): ListedFile | [] => {
    const { type, path, size, lfs } = (entry ?? {}) as Record<string, unknown>;
    if (type !== 'file' || typeof path !== 'string' || !Number.isSafeInteger(size)) return [];
    const oid = (lfs as { oid?: unknown } | undefined)?.oid;
    const isHash = typeof oid === 'string' && /^[0-9a-f]{64}$/.test(oid);
    return { path, bytes: size as number, ...(isHash ? { sha256: oid } : {}) };
  });
}

/** `<ADDRESS>; rel="next"` */
function nextPage(link: string | null, base: string): string | undefined {
  const next = /<([^<>]*)>\s*;\s*rel="?next"?/.exec(link ?? '')?.[1];
  return next === undefined ? undefined : checkAddress(next, new URL(base)).href;
}
