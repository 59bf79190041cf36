/** Models by reference, from a hub and from any server, which both misbehave in every known way. */
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { resolveModel } from '../../src/pull/models.ts';
import { listReferences } from '../../src/pull/pulled.ts';
import { mu } from '../cli/mu.ts';
import { temporaryFolder } from '../model/files.ts';
import { writeGguf } from '../model/ggufWriter.ts';
import { splitContent } from '../model/splitGguf.ts';
import { makeTinyGguf, tinyContent } from '../model/tinyGguf.ts';
import { sendRange, startHub, type TestHub } from './hubServer.ts';

const top = temporaryFolder();
let hub: TestHub;
let cache: string;
let caches = 0;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());
beforeEach(() => {
  hub.reset();
  cache = join(top, `cache${caches++}`);
  vi.stubEnv('MU_CACHE', cache);
  vi.stubEnv('HF_ENDPOINT', hub.endpoint);
  vi.stubEnv('HF_TOKEN', undefined);
});
afterEach(() => vi.unstubAllEnvs());

/** Looks like a GGUF file; each letter another. */
function content(letter: string, length = 200_000): Buffer {
  return Buffer.concat([Buffer.from('GGUF'), Buffer.alloc(length - 4, `${letter} a model `)]);
}

const offers = (...names: string[]) => {
  hub.files = Object.fromEntries(names.map((name, i) => [name, content(String(i))]));
};

const repository = () => join(cache, 'models/hf/owner/repo');

/** Names below a folder, sorted; [] where it is not. */
function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

/** The message that pulling ends with: one line. */
async function refusal(text: string): Promise<string> {
  const error = await resolveModel(text).catch((error) => error);
  expect(error).toBeInstanceOf(Error);
  expect(error.message).not.toContain('\n');
  return error.message;
}

test('the named quantization is fetched once, and found without a network', async () => {
  offers('README.md', 'm-Q4_K_M.gguf', 'm-Q8_0.gguf');
  const lines: string[] = [];
  const path = await resolveModel('hf:owner/repo:q8_0', { say: (line) => lines.push(line) });
  expect(path).toBe(join(repository(), 'm-Q8_0.gguf'));
  expect(readFileSync(path)).toEqual(hub.files['m-Q8_0.gguf']);
  const { host } = new URL(hub.endpoint);
  expect(lines).toEqual([`hf:owner/repo:Q8_0 is not here yet: m-Q8_0.gguf from ${host}`]);
  expect(hub.seen.map(({ path }) => path)).toEqual([
    '/api/models/owner/repo/tree/main?recursive=true',
    '/owner/repo/resolve/main/m-Q8_0.gguf',
    '/blobs/m-Q8_0.gguf',
  ]);
  hub.seen.length = 0;
  expect(await resolveModel('hf:owner/repo:Q8_0')).toBe(path);
  expect(hub.seen).toEqual([]);
  expect(await listReferences()).toEqual([{ text: 'hf:owner/repo:Q8_0', bytes: 200_000, path }]);
  expect(namesIn(repository())).toEqual(['m-Q8_0.gguf']);
});

test('what is damaged in the cache is fetched anew; another reference brings nothing twice', async () => {
  offers('m-Q8_0.gguf');
  const path = await resolveModel('hf:owner/repo:Q8_0');
  expect(await resolveModel('hf:owner/repo/m-Q8_0.gguf')).toBe(path);
  expect(await resolveModel('hf:owner/repo')).toBe(path);
  expect(hub.seen.filter(({ server }) => server === 'network')).toHaveLength(1);
  const damaged = Buffer.from(hub.files['m-Q8_0.gguf']);
  damaged[99_999] ^= 1;
  writeFileSync(path, damaged);
  expect(readFileSync(await resolveModel('hf:owner/repo'))).toEqual(hub.files['m-Q8_0.gguf']);
});

test.each([
  { files: ['m-Q8_0.gguf', 'm-Q4_K_M.gguf', 'm-F16.gguf'], taken: 'm-Q4_K_M.gguf' },
  { files: ['m-Q8_0.gguf', 'm-Q4_K_M.gguf'], lacks: 'Q6_K', taken: 'm-Q8_0.gguf' },
  { files: ['m.Q8_0.gguf', 'm.Q5_K_M.gguf'], taken: 'm.Q8_0.gguf' },
  { files: ['model.gguf', 'mmproj-Q8_0.gguf'], taken: 'model.gguf' },
  { files: ['m-BF16.gguf', 'm-F16.gguf'], quant: 'F16', taken: 'm-F16.gguf' },
  { files: ['m-Q4_K_M.gguf', 'm-UD-Q4_K_M.gguf'], quant: 'Q4_K_M', taken: 'm-Q4_K_M.gguf' },
  {
    files: ['m-Q4_K_XL.gguf', 'm-UD-Q4_K_XL.gguf'],
    quant: 'UD-Q4_K_XL',
    taken: 'm-UD-Q4_K_XL.gguf',
  },
  { files: ['Q6_K/m.gguf', 'Q5_0/m.gguf'], quant: 'Q5_0', taken: 'Q5_0/m.gguf' },
  { files: ['a b/ä-Q8_0.gguf'], taken: 'a b/ä-Q8_0.gguf' },
])('of $files, named $quant, $taken is taken', async ({ files, quant, lacks, taken }) => {
  offers(...files);
  const text = quant ? `hf:owner/repo:${quant}` : 'hf:owner/repo';
  const path = await resolveModel(text, { canRead: (type) => type !== lacks });
  expect(path).toBe(join(repository(), taken));
  expect(readFileSync(path)).toEqual(hub.files[taken]);
});

test.each([
  {
    files: ['m-Q4_0.gguf', 'm-Q5_0.gguf'],
    text: 'hf:owner/repo:Q2_K',
    message:
      'hf:owner/repo:Q2_K: found no Q2_K, expected hf:OWNER/REPO:QUANT with one of Q4_0, Q5_0',
  },
  {
    files: ['m-Q4_0.gguf', 'm-Q5_0.gguf'],
    text: 'hf:owner/repo',
    message: 'hf:owner/repo: found 2 models, expected hf:OWNER/REPO:QUANT with one of Q4_0, Q5_0',
  },
  {
    files: ['a-Q8_0.gguf', 'b-Q8_0.gguf', 'c-Q5_0.gguf'],
    text: 'hf:owner/repo',
    message:
      'hf:owner/repo: found 2 models, expected hf:OWNER/REPO/FILE with one of a-Q8_0.gguf, b-Q8_0.gguf',
  },
  { files: ['x.safetensors'], text: 'hf:owner/repo', message: 'hf:owner/repo: found no GGUF file' },
  {
    files: ['m-Q8_0-00001-of-00003.gguf', 'm-Q8_0-00003-of-00003.gguf'],
    text: 'hf:owner/repo',
    message: 'hf:owner/repo: found no m-Q8_0-00002-of-00003.gguf, one of 3 parts',
  },
])('$files do not tell what $text is', async ({ files, text, message }) => {
  offers(...files);
  expect(await refusal(text)).toBe(message);
});

test('a list in pages is read to its end', async () => {
  offers('a-Q2_K.gguf', 'b-Q3_K.gguf', 'c-Q4_0.gguf', 'm-Q8_0.gguf');
  hub.pageSize = 2;
  expect(basename(await resolveModel('hf:owner/repo'))).toBe('m-Q8_0.gguf');
  const elsewhere = { link: `<${hub.network}/list>; rel="next"` };
  hub.hub = (_, response) => {
    response.writeHead(200, elsewhere).end('[]');
    return true;
  };
  expect(await refusal('hf:owner/repo:Q2_K')).toMatch(/the list goes on at \S+, another server/);
});

test.each([
  '../../../evil-Q8_0.gguf',
  '/etc/evil-Q8_0.gguf',
  'a/../../evil-Q8_0.gguf',
  'a\\..\\evil-Q8_0.gguf',
  'a\u001b[2Jevil-Q8_0.gguf',
  `${'a'.repeat(300)}-Q8_0.gguf`,
])('a name that leads somewhere else is refused: %j', async (name) => {
  offers(name);
  expect(await refusal('hf:owner/repo')).toMatch(/is no name that a file can have here/);
  expect(namesIn(join(cache, 'models'))).toEqual([]);
});

test.each([
  ['hf:owner', /expected hf:OWNER\/REPO,/],
  ['hf:../../etc', /expected hf:OWNER\/REPO,/],
  ['hf:owner/..', /expected hf:OWNER\/REPO,/],
  ['hf:owner/repo:', /expected hf:OWNER\/REPO,/],
  ['https://example.org/model.bin', /expected the address of a file NAME\.gguf; .*hf:OWNER\/REPO/],
  ['https://me:secret@example.org/m.gguf', /^(?!.*secret).*a password in it is not supported/],
  ['owner/repo', /expected a path, or one of smollm2.*; a repository of Hugging Face is hf:owner/],
  ['no-such', /expected a path, or one of .*, or hf:OWNER\/REPO:QUANT, or the https address of a/],
])('what is no reference is answered by how to write one: %s', async (text, message) => {
  expect(await refusal(text)).toMatch(message);
});

test('all parts of a split model are fetched, and computed with by any command', async () => {
  const parts = splitContent(tinyContent(), 'tiny-F32', 3);
  hub.files = Object.fromEntries(
    parts.map(({ name, content }) => [`F32/${name}`, Buffer.from(writeGguf(content))]),
  );
  const first = join(repository(), 'F32/tiny-F32-00001-of-00003.gguf');
  const pulled = await mu(['pull', 'hf:owner/repo']);
  expect(pulled).toMatchObject({ code: 0, stdout: `${first}\n` });
  expect(pulled.stderr).toMatch(
    /^hf:owner\/repo is not here yet: tiny-F32-00001-of-00003\.gguf and 2 more from 127/,
  );
  const inspected = await mu(['inspect', 'hf:owner/repo:F32']);
  expect(inspected.stdout).toMatch(/^file +\S+ and 2 more, /m);
  expect(hub.seen.filter(({ server }) => server === 'network')).toHaveLength(3);
  const listed = await mu(['pull']);
  expect(listed.stdout).toMatch(/^hf:owner\/repo {2}\S+ kB {2}\/.*00001-of-00003\.gguf$/m);
});

test('an interrupted set goes on within the part that it stopped in', async () => {
  const names = [1, 2].map((part) => `m-Q8_0-0000${part}-of-00002.gguf`);
  offers(...names);
  hub.deliver = (request, response) => {
    if (!request.url?.includes('00002-of') || request.headers.range) return false;
    response.writeHead(200, { 'content-length': 200_000 });
    response.write(hub.files[names[1]].subarray(0, 100_000));
    setTimeout(() => response.destroy(), 300);
    return true;
  };
  expect(await refusal('hf:owner/repo')).toMatch(/m-Q8_0-00002-of-00002\.gguf: .*; try again$/);
  const [whole, part] = namesIn(repository());
  expect(whole).toBe(names[0]);
  const have = statSync(join(repository(), part)).size;
  hub.seen.length = 0;
  expect(await resolveModel('hf:owner/repo')).toBe(join(repository(), names[0]));
  expect(hub.seen.filter(({ server }) => server === 'network')).toEqual([
    { server: 'network', path: `/blobs/${names[1]}`, range: `bytes=${have}-` },
  ]);
  expect(readFileSync(join(repository(), names[1]))).toEqual(hub.files[names[1]]);
  expect(namesIn(repository())).toEqual(names);
});

test('Ctrl-C leaves what the next try goes on from', async () => {
  offers('m-Q8_0.gguf');
  const abort = new AbortController();
  hub.deliver = (_, response) => {
    response.writeHead(200, { 'content-length': 200_000 });
    response.write(hub.files['m-Q8_0.gguf'].subarray(0, 70_000)); // and then nothing
    return true;
  };
  const onProgress = (bytes: number) => {
    if (bytes === 70_000) setTimeout(() => abort.abort(new Error('stopped')), 100);
  };
  const pulling = resolveModel('hf:owner/repo', { signal: abort.signal, onProgress });
  await expect(pulling).rejects.toThrow(/^stopped$/);
  const [part] = namesIn(repository());
  expect(statSync(join(repository(), part)).size).toBe(70_000);
  hub.deliver = () => false;
  await resolveModel('hf:owner/repo');
  expect(hub.seen.at(-1)?.range).toBe('bytes=70000-');
});

test('wrong content is refused and does not stay', async () => {
  offers('m-Q8_0.gguf');
  hub.deliver = (request, response) => {
    sendRange(request, response, content('x'));
    return true;
  };
  expect(await refusal('hf:owner/repo')).toMatch(
    /what arrived has SHA-256 \w+, not \w+; try again/,
  );
  expect(namesIn(repository())).toEqual([]);
});

test.each([
  ['another size', { 'content-length': 5 }, 'GGUF!', /offers 5 bytes where 200000 are expected/],
  ['too much', {}, Buffer.alloc(300_000, 'GGUF'), /more than the expected 200000 bytes/],
  ['too little', {}, 'GGUF', /the transfer ended after 4 of 200000 bytes/],
  [
    'a page',
    { 'content-type': 'text/html; charset=utf-8' },
    '<!doctype html>',
    /sends a page in p/,
  ],
  ['no GGUF', {}, Buffer.alloc(200_000, 'PK'), /what arrives begins with "PKPK", not with "GGUF"/],
  ['a packed file', { 'content-encoding': 'gzip' }, 'x', /sends the file packed \(gzip\)/],
])('refused: %s', async (_, headers, body, message) => {
  offers('m-Q8_0.gguf');
  hub.deliver = (_, response) => {
    response.writeHead(200, headers).end(body);
    return true;
  };
  expect(await refusal('hf:owner/repo')).toMatch(message);
  expect(namesIn(repository()).filter((name) => name.endsWith('.gguf'))).toEqual([]);
});

test('a server that sends another range than asked for is refused', async () => {
  offers('m-Q8_0.gguf');
  hub.deliver = (request, response) => {
    if (request.headers.range) {
      const body = hub.files['m-Q8_0.gguf'].subarray(10);
      const range = { 'content-range': 'bytes 10-199999/200000', 'content-length': body.length };
      response.writeHead(206, range).end(body);
    } else response.writeHead(200).end(hub.files['m-Q8_0.gguf'].subarray(0, 1000));
    return true;
  };
  expect(await refusal('hf:owner/repo')).toMatch(/ended after 1000/);
  expect(await refusal('hf:owner/repo')).toMatch(/sends bytes 10-199999\/200000 where 1000 up to/);
});

test('more than a disk holds is refused before a byte of it has come', async () => {
  hub.hub = (_, response) => {
    const lfs = { oid: 'a'.repeat(64) };
    const entry = { type: 'file', path: 'm-Q8_0.gguf', size: 2 ** 52, lfs };
    response.end(JSON.stringify([entry]));
    return true;
  };
  expect(await refusal('hf:owner/repo')).toMatch(/4503599627370496 bytes are to come and \d+ are/);
});

const answerWith =
  (status: number, headers: Record<string, string> = {}) =>
  (_: unknown, response: import('node:http').ServerResponse) => {
    response.writeHead(status, headers).end('{"error":"…"}');
    return true;
  };

test.each([
  [401, {}, undefined, /HTTP 401 .*no such repository, or a private one; .*set HF_TOKEN if it is/],
  [401, {}, 'hf_x', /HTTP 401 .*check the name, HF_TOKEN is valid and may read it$/],
  [
    401,
    { 'x-error-code': 'GatedRepo' },
    undefined,
    /\(GatedRepo\); ask for access on \S+owner\/repo and set HF_TOKEN$/,
  ],
  [403, { 'x-error-code': 'GatedRepo' }, 'hf_x', /ask for access on \S+ with the account of HF_TO/],
  [404, {}, undefined, /HTTP 404 from \S+: no such file or repository; check the name/],
  [
    429,
    {},
    undefined,
    /HTTP 429 from \S+; try again later, or set HF_TOKEN: accounts may ask more/,
  ],
  [
    429,
    { 'retry-after': '3600' },
    'hf_x',
    /it asks to be left alone for 3600 seconds; try again la/,
  ],
  [500, {}, undefined, /HTTP 500 from \S+; try again later/],
  [401, { 'x-error-code': 'x\u009b31m' }, undefined, /HTTP 401 from \S+: no such/],
])('a hub that answers %i %j, token %s', async (status, headers, token, message) => {
  if (token) vi.stubEnv('HF_TOKEN', token);
  hub.hub = answerWith(status, headers);
  const found = await refusal('hf:owner/repo');
  expect(found).toMatch(message);
  expect(found).not.toContain('hf_x');
});

test('a server that asks to be left alone for a moment is', async () => {
  offers('m-Q8_0.gguf');
  const answers = [
    answerWith(429, { 'retry-after': '0' }),
    answerWith(503, { 'retry-after': '1' }),
  ];
  hub.hub = (request, response) => answers.shift()?.(request, response) ?? false;
  const lines: string[] = [];
  await resolveModel('hf:owner/repo', { say: (line) => lines.push(line) });
  expect(lines.slice(0, 2)).toEqual([
    expect.stringMatching(/is busy: waiting for 0 seconds/),
    expect.stringMatching(/is busy: waiting for 1 seconds/),
  ]);
  hub.hub = answerWith(429, { 'retry-after': '0' });
  hub.seen.length = 0;
  expect(await refusal('hf:owner/repo:F16')).toMatch(/HTTP 429/);
  expect(hub.seen).toHaveLength(4);
});

test('a token goes to the hub and to nobody whom the hub redirects to', async () => {
  offers('m-Q8_0.gguf');
  vi.stubEnv('HF_TOKEN', 'hf_secret\n');
  await resolveModel('hf:owner/repo');
  expect(hub.seen.map(({ server, authorization }) => [server, authorization])).toEqual([
    ['hub', 'Bearer hf_secret'],
    ['hub', 'Bearer hf_secret'],
    ['network', undefined],
  ]);
  hub.seen.length = 0;
  // away and back again: it stays away
  hub.deliver = (_, response) => {
    response.writeHead(302, { location: `${hub.endpoint}/last` }).end();
    return true;
  };
  hub.hub = (request, response) => {
    if (request.url !== '/last') return false;
    sendRange(request, response, hub.files['m-Q8_0.gguf']);
    return true;
  };
  await resolveModel(`${hub.endpoint}/owner/repo/resolve/main/m-Q8_0.gguf`);
  expect(hub.seen[0].authorization).toBe('Bearer hf_secret');
  const last = hub.seen.filter(({ path }) => path === '/last');
  expect(last.map(({ authorization }) => authorization)).toEqual([undefined, undefined]);
  hub.seen.length = 0;
  hub.deliver = () => false;
  await resolveModel(`${hub.network}/blobs/m-Q8_0.gguf`);
  expect(hub.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
  vi.stubEnv('HF_TOKEN', 'hf\nsecret');
  expect(await refusal('hf:owner/other')).toBe('HF_TOKEN: it has characters that no token has');
});

test('redirects end somewhere', async () => {
  hub.hub = (_, response) => {
    response.writeHead(302, { location: '/again' }).end();
    return true;
  };
  expect(await refusal('hf:owner/repo')).toMatch(/redirects without end/);
  hub.hub = (_, response) => {
    response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    return true;
  };
  expect(await refusal('hf:owner/repo')).toMatch(/expected https or http/);
});

test('a list that is none is refused', async () => {
  for (const body of ['{"error": 1}', '<html>', '[1, null, {"type": "file"}]']) {
    hub.hub = (_, response) => {
      response.end(body);
      return true;
    };
    expect(await refusal('hf:owner/repo')).toMatch(/the list of files is none|found no GGUF file/);
  }
});

test('a list without SHA-256s: the hub states them when a file is asked for', async () => {
  offers('m-Q8_0.gguf');
  hub.listsHashes = false;
  hub.deliver = (request, response) => {
    sendRange(request, response, content('x'));
    return true;
  };
  expect(await refusal('hf:owner/repo')).toMatch(/has SHA-256 \w+, not \w+/);
  hub.deliver = () => false;
  expect(readFileSync(await resolveModel('hf:owner/repo'))).toEqual(hub.files['m-Q8_0.gguf']);
});

test('any address of a GGUF file', async () => {
  offers('m.gguf', 'n.gguf');
  const address = `${hub.network}/blobs/m.gguf`;
  const path = await resolveModel(`${address}#here`);
  expect(readFileSync(path)).toEqual(hub.files['m.gguf']);
  expect(basename(path)).toBe('m.gguf');
  hub.seen.length = 0;
  expect(await resolveModel(address)).toBe(path);
  expect(hub.seen).toEqual([]);
  expect(await refusal(`${hub.network}/blobs/..%2f..%2fm.gguf`)).toMatch(/is no name that a file/);
  expect(dirname(await resolveModel(`${hub.network}/blobs/n.gguf`))).not.toBe(dirname(path));
});

test('all parts by the address of any', async () => {
  offers('m-00001-of-00002.gguf', 'm-00002-of-00002.gguf');
  const path = await resolveModel(`${hub.network}/blobs/m-00002-of-00002.gguf`);
  expect(basename(path)).toBe('m-00001-of-00002.gguf');
  expect(namesIn(dirname(path))).toEqual(['m-00001-of-00002.gguf', 'm-00002-of-00002.gguf']);
});

test('a file that has changed on its server is not put together from two', async () => {
  offers('m.gguf');
  const address = `${hub.network}/blobs/m.gguf`;
  hub.deliver = (_, response) => {
    if (hub.seen.length < 2) return false; // how long it is
    const { length } = hub.files['m.gguf'];
    response.writeHead(200, { 'content-length': length });
    response.write(hub.files['m.gguf'].subarray(0, 80_000));
    setTimeout(() => response.destroy(), 300);
    return true;
  };
  expect(await refusal(address)).toMatch(/m\.gguf: .*; try again/);
  hub.deliver = () => false;
  hub.files['m.gguf'] = content('other');
  const path = await resolveModel(address);
  expect(readFileSync(path)).toEqual(hub.files['m.gguf']);
  expect(namesIn(dirname(path))).toEqual(['m.gguf']); // nothing of the first try
  expect(hub.seen.at(-1)?.range).toBeUndefined();
});

test('416: nothing lies where a part ends', async () => {
  offers('m-Q8_0.gguf');
  hub.deliver = (request, response) => {
    if (request.headers.range) response.writeHead(416).end();
    else if (hub.seen.length < 4) response.writeHead(200).end(content('0').subarray(0, 5000));
    else return false;
    return true;
  };
  expect(await refusal('hf:owner/repo')).toMatch(/ended after 5000/);
  const [part] = namesIn(repository());
  appendFileSync(join(repository(), part), 'x');
  expect(readFileSync(await resolveModel('hf:owner/repo'))).toEqual(hub.files['m-Q8_0.gguf']);
});

test('without a network: one line that says what to do', async () => {
  vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:1');
  const { code, stdout, stderr } = await mu(['run', 'hf:owner/repo:Q8_0', '-p', 'x']);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(
    /^mu: hf:owner\/repo:Q8_0: 127\.0\.0\.1:1: fetch failed\S*.*; connect to a network, or give the path of a file that is here\n$/,
  );
  vi.stubEnv('HF_ENDPOINT', 'hub');
  expect(await refusal('hf:owner/repo')).toBe('HF_ENDPOINT: hub is no address');
});

test('mu inspect fetches what is not here, and says so', async () => {
  hub.files = { 'tiny-Q8_0.gguf': Buffer.from(makeTinyGguf({ type: 'Q8_0' })) };
  const { code, stdout, stderr } = await mu(['inspect', 'hf:owner/repo:Q8_0']);
  expect(stderr).toMatch(/^hf:owner\/repo:Q8_0 is not here yet: tiny-Q8_0\.gguf from 127/);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Q8_0 +\d+ tensors/m);
});
