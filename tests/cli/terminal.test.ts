import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  asJson,
  createTextStream,
  describeError,
  formatBytes,
  formatMilliseconds,
  shellWord,
  tokensPerSecond,
} from '../../src/cli/terminal.ts';
import { oneLine, printable } from '../../src/model/printable.ts';
import { ODD_NAME } from '../oddName.ts';

test('text that is cut within characters comes out whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'binary' }),
      fc.integer({ min: 1, max: 5 }),
      async (t, n) => {
        const stream = new PassThrough();
        const output = createTextStream(stream);
        const bytes = new TextEncoder().encode(t);
        for (let i = 0; i < bytes.length; i += n) output.write(bytes.subarray(i, i + n));
        output.end();
        stream.end();
        // A decoder drops one byte order mark at the very start.
        expect(await text(stream)).toBe(new TextDecoder().decode(bytes));
      },
    ),
  );
});

test('an answer that ends within a character ends with a replacement', async () => {
  const stream = new PassThrough();
  const output = createTextStream(stream);
  output.write(Buffer.from('blé').subarray(0, 3));
  output.end();
  stream.end();
  expect(await text(stream)).toBe('bl\ufffd');
});

test('to a terminal goes text that does not drive it, to a pipe every byte', async () => {
  const given = Buffer.from('a\x1b[31m\t\x07\r\n\u0085\u009b\x7f é\xff', 'latin1');
  const shown = async (isTTY: boolean) => {
    const stream = Object.assign(new PassThrough(), { isTTY });
    const output = createTextStream(stream);
    for (const byte of given) output.write(Buffer.of(byte));
    output.end();
    stream.end();
    return buffer(stream);
  };
  expect(await shown(false)).toEqual(given);
  const text = Buffer.from('a\x1b[31m\t\x07\r\n\u0085\u009b\x7f é');
  expect(printable(text.toString())).toBe('a␛[31m\t␇␍\n��␡ é');
  expect((await shown(true)).toString()).toBe(printable(new TextDecoder().decode(given)));
});

test('a name is one short line', () => {
  expect(oneLine('a\r\n\tb\u2028c')).toBe('a␍ b c');
  expect(oneLine('\u202egpj.exe')).toBe('�gpj.exe');
  expect([...oneLine('😀'.repeat(1000))]).toHaveLength(100);
  expect(oneLine('x'.repeat(100))).toBe('x'.repeat(100));
});

test('JSON holds no control characters, and says the same', () => {
  const value = { text: 'a\x1b\x7f\u0080\u009f\u00a0\n' };
  expect(asJson(value)).not.toMatch(/[^\P{Cc}\n]/u);
  expect(JSON.parse(asJson(value))).toEqual(value);
});

test('errors are one line, without stack', () => {
  expect(describeError(new Error('what; where; what to do'))).toBe('mu: what; where; what to do');
  expect(describeError('text')).toBe('mu: text');
});

test('a path that is printed can be given to a shell', () => {
  for (const path of ['out/sky', 'my folder', "it's", '-x', ODD_NAME]) {
    const { stdout } = spawnSync('sh', ['-c', `printf %s ${shellWord(path)}`], {
      encoding: 'utf8',
    });
    expect(resolve(stdout)).toBe(resolve(path));
    expect(stdout).not.toMatch(/^-/);
  }
  expect(shellWord('out/sky')).toBe('out/sky');
});

test('figures', () => {
  expect([999, 1500, 98_362_432, 2.5e9].map(formatBytes)).toEqual([
    '999 B',
    '1.5 kB',
    '98.4 MB',
    '2.50 GB',
  ]);
  expect([0, 14.62, 250.4, -3734.1, 12_345].map(formatMilliseconds)).toEqual([
    '0.0 ms',
    '14.6 ms',
    '250 ms',
    '-3734 ms',
    '12.3 s',
  ]);
  expect(tokensPerSecond(10, 2_000_000_000n)).toBe(5);
  expect(tokensPerSecond(0, 0n)).toBe(0);
});
