import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type CpioEntry, writeCpio } from '../../src/image/cpio.ts';

const folder = mkdtempSync(join(tmpdir(), 'mu-cpio-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Longer than one piece of a stream, and no multiple of four. */
const long = Buffer.from(Array.from({ length: 2_500_001 }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
const longPath = join(folder, 'long');
writeFileSync(longPath, long);

const entries: CpioEntry[] = [
  { path: 'bin', mode: 0o755 },
  { path: 'bin/one', mode: 0o4750, content: Buffer.from('x') },
  { path: 'bin/empty', mode: 0o644, content: new Uint8Array(0) },
  { path: 'bin/Ünï code', mode: 0o600, content: Buffer.from('four') },
  { path: 'bin/link', mode: 0o777, link: '../long' },
  { path: 'long', mode: 0o444, content: { file: longPath } },
  { path: 'console', mode: 0o600, device: [5, 1] },
];

/** GNU cpio, another implementation of the format. */
const hasGnuCpio = spawnSync('cpio', ['--version'], { encoding: 'utf8' }).stdout?.includes('GNU');

describe.skipIf(!hasGnuCpio)(`GNU cpio reads it${hasGnuCpio ? '' : ' (needs cpio)'}`, () => {
  const archive = join(folder, 'a.cpio');
  const cpio = (args: string[], cwd: string) => {
    const run = spawnSync('cpio', args, {
      input: readFileSync(archive),
      cwd,
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC' },
      timeout: 20_000,
    });
    expect(run.stderr).toMatch(/^\d+ blocks\n$/); // no warning
    expect(run.status).toBe(0);
    return run.stdout;
  };

  test('its list', async () => {
    const bytes = await writeCpio(archive, entries);
    expect(statSync(archive).size).toBe(bytes);
    const lines = cpio(['-itv'], folder).trimEnd().split('\n');
    const facts = lines.map((line) => line.replace(/ +/g, ' ').split(' '));
    expect(facts.map((fact) => [fact[0], ...fact.slice(2, 4)].join(' '))).toEqual([
      'drwxr-xr-x root root',
      '-rwsr-x--- root root',
      '-rw-r--r-- root root',
      '-rw------- root root',
      'lrwxrwxrwx root root',
      '-r--r--r-- root root',
      'crw------- root root',
    ]);
    for (const line of lines) expect(line).toMatch(/ Jan +1 +1970 /);
    expect(lines.at(-1)).toMatch(/ 5, +1 .*console$/);
  });

  test('what it unpacks', async () => {
    await writeCpio(archive, entries);
    const out = join(folder, 'out');
    mkdirSync(out);
    const isRoot = process.getuid?.() === 0;
    const mine = isRoot ? [] : ['-f', 'console']; // only root may make a device
    cpio(['-id', '--no-absolute-filenames', ...mine], out);
    expect(readFileSync(join(out, 'long')).equals(long)).toBe(true);
    expect(readFileSync(join(out, 'bin/one'), 'utf8')).toBe('x');
    expect(readFileSync(join(out, 'bin/empty')).length).toBe(0);
    expect(readFileSync(join(out, 'bin/Ünï code'), 'utf8')).toBe('four');
    expect(readlinkSync(join(out, 'bin/link'))).toBe('../long');
    if (isRoot && existsSync(join(out, 'console'))) {
      expect(lstatSync(join(out, 'console')).isCharacterDevice()).toBe(true);
      expect(lstatSync(join(out, 'console')).rdev).toBe(0x501);
    }
  });
});

test('the same entries give the same bytes', async () => {
  const [one, two] = [join(folder, 'one'), join(folder, 'two')];
  await writeCpio(one, entries);
  utimesSync(longPath, 1e9, 1e9);
  await writeCpio(two, entries);
  expect(readFileSync(one).equals(readFileSync(two))).toBe(true);
});

test('data begins and ends on multiples of four', async () => {
  const path = join(folder, 'aligned');
  for (const name of ['a', 'ab', 'abc', 'abcd']) {
    const bytes = await writeCpio(path, [
      { path: name, mode: 0o644, content: long.subarray(0, 7) },
    ]);
    expect(bytes % 4).toBe(0);
    expect(readFileSync(path).indexOf(long.subarray(0, 7)) % 4).toBe(0);
  }
});

describe('what could not be unpacked is refused', () => {
  const path = join(folder, 'refused');

  test('no folder', async () => {
    const orphan = { path: 'bin/sh', mode: 0o755, content: long };
    await expect(writeCpio(path, [orphan])).rejects.toThrow(
      'bin/sh: expected an entry for the folder "bin" before it',
    );
  });

  test('4 GiB', async () => {
    const file = join(folder, 'huge');
    const handle = openSync(file, 'w');
    ftruncateSync(handle, 2 ** 32); // a hole: takes no room
    closeSync(handle);
    await expect(
      writeCpio(path, [{ path: 'model.pack', mode: 0o444, content: { file } }]),
    ).rejects.toThrow('holds no file of 4 GiB or more, model.pack would have 4294967296 bytes');
  });

  test('a file that is not there, a folder that cannot be written', async () => {
    const entry = { path: 'x', mode: 0o444, content: { file: join(folder, 'nothing') } };
    await expect(writeCpio(path, [entry])).rejects.toThrow('ENOENT');
    await expect(writeCpio(join(folder, 'no/where'), entries)).rejects.toThrow('ENOENT');
  });
});
