/**
 * A hub for tests: it lists repositories, answers `resolve` with a redirect to another server (as
 * to a delivery network), knows ranges, and states size and SHA-256. What goes wrong is set by the
 * test.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  server: 'hub' | 'network';
  path: string;
  range?: string;
  authorization?: string;
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface TestHub {
  endpoint: string;
  network: string;
  /** Path in the repository owner/repo → content. */
  files: Record<string, Uint8Array>;
  seen: Seen[];
  /** Comes first; true: it has answered. */
  hub: Handler;
  /** The same for the server that has the files. */
  deliver: Handler;
  /** Entries of the list on one page. */
  pageSize: number;
  /** Whether the list states SHA-256s. */
  listsHashes: boolean;
  reset(): void;
  close(): void;
}

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

export async function startHub(): Promise<TestHub> {
  const hub = createServer((request, response) => {
    note('hub', request);
    if (!test.hub(request, response)) answer(request, response);
  });
  const network = createServer((request, response) => {
    note('network', request);
    if (!test.deliver(request, response)) sendRange(request, response, contentOf(request.url));
  });
  const test: TestHub = {
    endpoint: await listen(hub),
    network: await listen(network),
    files: {},
    seen: [],
    hub: () => false,
    deliver: () => false,
    pageSize: 1000,
    listsHashes: true,
    reset() {
      const nothing = () => false;
      Object.assign(test, { files: {}, seen: [], hub: nothing, deliver: nothing });
      Object.assign(test, { pageSize: 1000, listsHashes: true });
    },
    close() {
      for (const server of [hub, network]) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
  const note = (server: Seen['server'], { url = '', headers }: IncomingMessage) => {
    const { range, authorization } = headers;
    const more = { ...(range ? { range } : {}), ...(authorization ? { authorization } : {}) };
    test.seen.push({ server, path: url, ...more });
  };
  const contentOf = (url = '') => test.files[decodeURIComponent(url.replace(/^\/blobs\//, ''))];
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '', test.endpoint);
    const path = decodeURIComponent(url.pathname);
    if (path === '/api/models/owner/repo/tree/main') return list(url, response);
    const file = path.replace('/owner/repo/resolve/main/', '');
    const content = test.files[file];
    if (content === undefined) {
      return void response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end('no');
    }
    response.writeHead(302, {
      location: `${test.network}/blobs/${encodeURIComponent(file)}`,
      'x-linked-size': content.length,
      'x-linked-etag': `"${sha256(content)}"`,
    });
    response.end();
  };
  const list = (url: URL, response: ServerResponse) => {
    const at = Number(url.searchParams.get('cursor') ?? 0);
    const entries = Object.entries(test.files).map(([path, content]) => ({
      ...{ type: 'file', path, size: content.length, oid: 'a'.repeat(40) },
      ...(test.listsHashes ? { lfs: { oid: sha256(content), size: content.length } } : {}),
    }));
    const page = [{ type: 'directory', path: 'folder' }, ...entries];
    const next = at + test.pageSize;
    const link = `<${test.endpoint}${url.pathname}?recursive=true&cursor=${next}>; rel="next"`;
    response.writeHead(200, {
      'content-type': 'application/json',
      ...(next < page.length ? { link } : {}),
    });
    response.end(JSON.stringify(page.slice(at, next)));
  };
  return test;
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** As file servers answer: the whole, what a range asks for, or that nothing lies there. */
export function sendRange(
  { headers }: IncomingMessage,
  response: ServerResponse,
  content: Uint8Array = Buffer.alloc(0),
): void {
  const total = content.length;
  const start = Number(/bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
  if (start >= total && start > 0) {
    return void response.writeHead(416, { 'content-range': `bytes */${total}` }).end();
  }
  const body = content.subarray(start);
  const range = { 'content-range': `bytes ${start}-${total - 1}/${total}` };
  const common = { 'content-length': body.length, etag: `"${sha256(content).slice(0, 8)}"` };
  response.writeHead(start > 0 ? 206 : 200, { ...common, ...(start > 0 ? range : {}) }).end(body);
}
