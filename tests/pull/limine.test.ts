/** Finding a release of Limine, and fetching one from a server on this machine. */
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  findLimine,
  KNOWN_LIMINE,
  type KnownRelease,
  pullLimine,
  requireLimine,
} from '../../src/pull/limine.ts';
import { PROJECT_ROOT } from '../../src/toolchain/cache.ts';

const top = mkdtempSync(join(tmpdir(), 'mu-limine-'));
let folder: string;
let count = 0;

// Whoever runs the tests may have a Limine of their own.
delete process.env.LIMINE_DIR;

beforeEach(() => {
  folder = join(top, String(count++));
  mkdirSync(folder);
});

afterAll(() => rmSync(top, { recursive: true }));

/** Files with the names and the words of a release that findLimine() looks at. */
function putRelease(version: string): void {
  writeFileSync(join(folder, 'BOOTX64.EFI'), `MZ\0\0Limine ${version} (x86-64, UEFI)\0`);
  for (const name of ['limine-bios.sys', 'limine-bios-cd.bin', 'limine-bios-hdd.h']) {
    writeFileSync(join(folder, name), '');
  }
}

describe('finding', () => {
  test('a named folder, and its version', () => {
    putRelease('8.2.0');
    expect(findLimine({ folder, folders: [] })).toMatchObject({ folder, version: '8.2.0' });
    expect(findLimine({ folders: ['/nowhere', folder] })).toMatchObject({ version: '8.2.0' });
    expect(findLimine({ folders: ['/nowhere'] })).toBeNull();
    expect(() => requireLimine({ folders: ['/nowhere'] })).toThrow(
      /^Limine is not here.*--limine DIR .*mu pull limine/,
    );
  });

  test('a named folder that will not do is an error that says why', () => {
    const named = () => findLimine({ folder, folders: [] });
    expect(named).toThrow(
      `--limine ${folder}: it has no BOOTX64.EFI, limine-bios.sys, limine-bios-cd.bin`,
    );
    putRelease('7.13.1');
    expect(named).toThrow(
      'it is Limine 7.13.1. Expected the folder of a binary release of Limine 8 or newer',
    );
    expect(findLimine({ folders: [folder] })).toBeNull();
    writeFileSync(join(folder, 'BOOTX64.EFI'), 'MZ');
    expect(named).toThrow('BOOTX64.EFI names no version of Limine');
  });

  test('LIMINE_DIR, where no option names a folder', () => {
    const before = process.env.LIMINE_DIR;
    process.env.LIMINE_DIR = folder;
    try {
      expect(() => findLimine({ folders: [] })).toThrow(`LIMINE_DIR ${folder}: it has no `);
      putRelease('9.0.0');
      expect(findLimine({ folders: [] })).toMatchObject({ folder, version: '9.0.0' });
    } finally {
      if (before === undefined) delete process.env.LIMINE_DIR;
      else process.env.LIMINE_DIR = before;
    }
  });
});

const shared = process.env.LIMINE_DIR || join(PROJECT_ROOT, '../shared/limine');
const release = findLimine({ folders: [shared] });
const hasKnown = release?.version === KNOWN_LIMINE.version;
const noKnown = hasKnown ? '' : ` (needs Limine ${KNOWN_LIMINE.version} in ${shared})`;

test.skipIf(!hasKnown)(`what is pinned is what Limine published${noKnown}`, () => {
  for (const [name, { bytes, sha256 }] of Object.entries(KNOWN_LIMINE.files)) {
    const content = readFileSync(join(shared, name));
    expect(content.length, name).toBe(bytes);
    expect(createHash('sha256').update(content).digest('hex'), name).toBe(sha256);
  }
});

describe('pulling', () => {
  const contents: Record<string, Buffer> = {
    LICENSE: Buffer.from('as you like'),
    'BOOTX64.EFI': Buffer.concat([Buffer.from('Limine 8.2.0\0'), Buffer.alloc(100_000, 'efi ')]),
    'limine-bios.sys': Buffer.alloc(50_000, 'bios '),
    'limine-bios-cd.bin': Buffer.alloc(2048, 'cd '),
    'limine-bios-hdd.h': Buffer.from('{ 0x00 }'),
  };
  let server: Server;
  let known: KnownRelease;
  let requests: string[];
  /** What the server sends for a file; undefined: it breaks off after a part of it. */
  let serve: (name: string) => Buffer | undefined;

  beforeAll(async () => {
    server = createServer((request, response) => {
      const name = request.url!.slice('/release/'.length);
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      requests.push(from > 0 ? `${name} from ${from}` : name);
      const body = serve(name);
      if (body) {
        const status = from > 0 ? 206 : 200;
        response
          .writeHead(status, { 'content-length': body.length - from })
          .end(body.subarray(from));
        return;
      }
      response.writeHead(200, { 'content-length': contents[name].length });
      response.write(contents[name].subarray(0, 20_000), () =>
        setTimeout(() => response.destroy(), 50),
      );
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const { port } = server.address() as AddressInfo;
    const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
    const files = Object.entries(contents).map(([name, content]) => [
      name,
      { bytes: content.length, sha256: hash(content) },
    ]);
    const address = `http://127.0.0.1:${port}/release`;
    known = { version: '8.2.0', license: 'any', address, files: Object.fromEntries(files) };
  });

  beforeEach(() => {
    requests = [];
    serve = (name) => contents[name];
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test('every file, with progress, once', async () => {
    const seen: number[] = [];
    const total = Object.values(contents).reduce((sum, { length }) => sum + length, 0);
    const onProgress = (bytes: number, all: number) => {
      expect(all).toBe(total);
      seen.push(bytes);
    };
    expect(await pullLimine({ onProgress }, known, folder)).toBe(folder);
    expect(seen.at(-1)).toBe(total);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    for (const [name, content] of Object.entries(contents)) {
      expect(readFileSync(join(folder, name)).equals(content), name).toBe(true);
    }
    expect(findLimine({ folders: [folder] })).toMatchObject({ folder, version: '8.2.0' });
    await pullLimine({}, known, folder);
    expect(requests).toEqual(Object.keys(contents));
  });

  test('goes on where a transfer broke off', async () => {
    serve = (name) => (name === 'limine-bios.sys' ? undefined : contents[name]);
    await expect(pullLimine({}, known, folder)).rejects.toThrow(
      /limine-bios\.sys: .*Connect to a network, or copy/,
    );
    expect(readdirSync(folder).sort()).toEqual(['BOOTX64.EFI', 'LICENSE', 'limine-bios.sys.part']);
    const have = statSync(join(folder, 'limine-bios.sys.part')).size;
    serve = (name) => contents[name];
    requests = [];
    await pullLimine({}, known, folder);
    expect(requests[0]).toBe(`limine-bios.sys from ${have}`);
    expect(have).toBeGreaterThan(0);
    expect(findLimine({ folders: [folder] })).not.toBeNull();
  });

  test('other content is refused and does not stay; a damaged file is fetched again', async () => {
    serve = (name) =>
      name === 'BOOTX64.EFI' ? Buffer.alloc(contents[name].length) : contents[name];
    await expect(pullLimine({}, known, folder)).rejects.toThrow(
      /what arrived has SHA-256 [0-9a-f]{64}, not /,
    );
    expect(readdirSync(folder)).toEqual(['LICENSE']);
    serve = (name) => contents[name];
    writeFileSync(join(folder, 'LICENSE'), 'other words');
    await pullLimine({}, known, folder);
    expect(readFileSync(join(folder, 'LICENSE'))).toEqual(contents.LICENSE);
  });

  test('an abort is no failure of the server', async () => {
    const abort = new AbortController();
    serve = () => {
      abort.abort(new Error('stopped'));
      return undefined;
    };
    await expect(pullLimine({ signal: abort.signal }, known, folder)).rejects.toThrow(/^stopped$/);
  });
});
