/** A model file that cannot be used is one clear line, exit code 1 and nothing on stdout. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeGguf } from '../model/ggufWriter.ts';
import { makeTinyGguf, tinyContent } from '../model/tinyGguf.ts';
import { mu } from './mu.ts';

const good = makeTinyGguf();

function unknownType(): Uint8Array {
  const { metadata, tensors } = tinyContent();
  return writeGguf({ metadata, tensors: tensors.map((tensor) => ({ ...tensor, type: 99 })) });
}

function unknownArchitecture(): Uint8Array {
  const { metadata, tensors } = tinyContent();
  metadata['general.architecture'] = { type: 'string', value: 'mamba' };
  return writeGguf({ metadata, tensors });
}

/** The highest bit of the number of tensors, bytes 8-15 of the header. */
function flipped(): Uint8Array {
  const bytes = Uint8Array.from(good);
  bytes[15] ^= 0x80;
  return bytes;
}

const cases: [string, Uint8Array, RegExp][] = [
  ['truncated', good.subarray(0, good.length >> 1), /tensor|end of the file|bytes/],
  ['truncated within its header', good.subarray(0, 100), /end of the file|bytes/],
  ['oversized', Buffer.concat([good, Buffer.alloc(4096, 0xaa)]), /bytes/],
  ['bit-flipped', flipped(), /tensor/],
  ['of an unknown tensor type', unknownType(), /type.*99/],
  ['of an unknown architecture', unknownArchitecture(), /architecture.*mamba/],
  ['empty', new Uint8Array(0), /0 bytes/],
  ['no model', Buffer.from('hello, I am a text file, not a model\n'.repeat(10)), /./],
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mu-bad-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each(cases)('%s', async (name, bytes, message) => {
  const path = join(folder, `${name.replaceAll(' ', '-')}.gguf`);
  writeFileSync(path, bytes);
  const { code, stdout, stderr } = await mu(['run', path, '-p', 'x', '-n', '1']);
  expect({ code, stdout, lines: stderr.split('\n').length - 1 }, stderr).toEqual({
    code: 1,
    stdout: '',
    lines: 1,
  });
  expect(stderr).toMatch(/^mu: /);
  expect(stderr).toMatch(message);
});

/** Weights that are finite, but not what becomes of them. */
function tooLarge(): Uint8Array {
  const { metadata, tensors } = tinyContent();
  const huge = tensors.map((tensor) => ({
    ...tensor,
    bytes:
      tensor.name === 'output_norm.weight'
        ? new Uint8Array(new Float32Array(tensor.bytes.length / 4).fill(3e38).buffer)
        : tensor.bytes,
  }));
  return writeGguf({ metadata, tensors: huge });
}

test.each(['0', '1'])('logits that are no numbers, at temperature %s', async (temperature) => {
  const path = join(folder, 'too-large.gguf');
  writeFileSync(path, tooLarge());
  const options = ['-p', 'the sky', '-n', '3', '--raw', '--cpu', 'avx2', '--temp', temperature];
  const { code, stderr } = await mu(['run', path, ...options]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^mu: the guest ended with exit code 1/m);
  expect(stderr).toMatch(/the logits are infinite or no numbers/);
});

test('a path where nothing is', async () => {
  const { code, stderr } = await mu(['run', join(folder, 'none.gguf'), '-p', 'x']);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^mu: .*none\.gguf.*\n$/);
});
