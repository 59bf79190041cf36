/**
 * What a person gives, whatever it is, arrives as it was given or is refused; and no model file
 * drives a terminal.
 */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { type HostTokenizer, loadTokenizer } from '../../src/model/hostTokenizer.ts';
import { openModel } from '../../src/model/index.ts';
import { PROJECT_ROOT } from '../../src/toolchain/cache.ts';
import { hasQemu, LINUX_TIMEOUT, NO_QEMU } from '../engine/guests.ts';
import { put, temporaryFolder } from '../model/files.ts';
import { type GgufValue, writeGguf } from '../model/ggufWriter.ts';
import { tinyContent } from '../model/tinyGguf.ts';
import { mu } from './mu.ts';

const CONTEXT = 512;
const folder = temporaryFolder();

function tinyModel(name: string, metadata: Record<string, string>): string {
  const content = tinyContent({ context: CONTEXT, layers: 1, dim: 32, hidden: 32, heads: 2 });
  for (const [key, value] of Object.entries(metadata))
    content.metadata[key] = { type: 'string', value } satisfies GgufValue;
  return put(folder, name, writeGguf(content));
}

const base = tinyModel('base.gguf', {});
const raises = tinyModel('raises.gguf', {
  'tokenizer.chat_template': "{{ raise_exception('not today\x1b[31m') }}",
});
const evil = tinyModel('evil.gguf', {
  'general.name': 'Evil\x1b]0;title\x07\r\n\x9b31m\u202eeman \x7f',
});

/** Quickly compiled, the same program for all of these models. */
const quick = ['--cpu', 'portable', '-n', '1', '--temp', '0'];

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
let tokenizer: HostTokenizer;
beforeAll(async () => {
  const model = await openModel(base);
  tokenizer = await loadTokenizer(model);
  await model.close();
}, LINUX_TIMEOUT);

const tokensOf = (bytes: string | Uint8Array) => tokenizer.encode(Buffer.from(bytes)).length;

describe('a prompt', () => {
  const raw = ['run', base, ...quick, '--raw', '--json', '-p'];
  const promptTokens = ({ stdout }: { stdout: string }) => JSON.parse(stdout).promptTokens;

  test('from a pipe arrives byte for byte', async () => {
    for (const text of [everyByte, Buffer.from('\ufeff\r\ncol1\tcol2\r'), Buffer.of(0xff, 0xfe)]) {
      const outcome = await mu([...raw, '-'], text);
      expect(outcome.stderr).not.toMatch(/^mu:/m);
      expect(promptTokens(outcome)).toBe(tokensOf(text));
    }
    expect(promptTokens(await mu([...raw, '-'], 'a\t\r\n'))).toBe(tokensOf('a\t'));
  });

  test.each(['-p "$bytes"', '"-p$bytes"', '"--prompt=$bytes"'])(
    'as an argument, too: %s',
    async (argument) => {
      const program = [process.execPath, join(PROJECT_ROOT, 'mu'), ...raw.slice(0, -1)];
      const script = `bytes=$(printf 'a\\377\\200\\303b\\357\\277\\275'); exec "$0" "$@" ${argument}`;
      const outcome = await promisify(execFile)('bash', ['-c', script, ...program]);
      const bytes = Buffer.from('a\xff\x80\xc3b\xef\xbf\xbd', 'latin1');
      expect(promptTokens(outcome)).toBe(tokensOf(bytes));
    },
  );

  test('that is too long is refused, and why', async () => {
    const bytes = CONTEXT * 8 + 1;
    const { code, stdout, stderr } = await mu([...raw, '-'], 'x'.repeat(bytes));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      `mu: the prompt is too long for the context of ${CONTEXT} positions: it has ${bytes} bytes, ` +
        `and there is room for ${bytes - 1}; a larger -c makes room (an image gets it from mu build)\n`,
    );
  });
});

describe('mu chat’s pipe', () => {
  const chat = ['chat', base, ...quick, '--raw'];

  test('a line arrives as it was given, without its line end', async () => {
    const lines = [
      everyByte.subarray(0, 10),
      ' x \ty\x04 ',
      '\xa0\u2028\ufeff',
      '\x03\x01\x05\x18',
    ];
    const input = lines.flatMap((line) => [Buffer.from(line), Buffer.from('\r\n/reset\n\n')]);
    const last = Buffer.from([0xff, 0x1b, 0x5b]);
    const { code, stderr } = await mu(chat, Buffer.concat([...input, last]));
    expect(code, stderr).toBe(0);
    const counts = [...stderr.matchAll(/prompt (\d+) tokens/g)].map(([, count]) => Number(count));
    expect(counts).toEqual([...lines, last].map(tokensOf));
  });

  test('a line that is too long is said, and the others are asked', async () => {
    const { code, stderr } = await mu(chat, `one\n${'x'.repeat(CONTEXT * 8 + 1)}\ntwo\n`);
    expect(code).toBe(1);
    expect(stderr.match(/prompt \d+ tokens/g)).toHaveLength(2);
    expect(stderr).toMatch(/mu: the prompt is too long for .* it has 4097 bytes/);
  });
});

describe('a chat template that cannot be used', () => {
  const why = /^mu: \S.*: the chat template cannot be used: .*not today␛\[31m; --raw .*\n$/m;

  test('is said by run and chat in place of an answer', async () => {
    const ran = await mu(['run', raises, ...quick, '-p', 'hello']);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(why);
    const chatted = await mu(['chat', raises, ...quick], 'hello\n');
    expect(chatted).toMatchObject({ code: 1, stdout: '' });
    expect(chatted.stderr).toMatch(why);
  });

  test('is not needed with --raw', async () => {
    expect(await mu(['run', raises, ...quick, '-p', 'hello', '--raw'])).toMatchObject({ code: 0 });
  });

  test(
    'is said by build, and by boot of such an image',
    async () => {
      const image = join(folder, 'raises');
      const build = ['build', raises, '--cpu', 'portable', '--stack', 'unikernel', '-o', image];
      const built = await mu(build);
      expect(built.code).toBe(0);
      expect(built.stderr).toMatch(/^note: the chat template cannot be used: .*not today/m);
      for (const [args, input] of [[['-p', 'hello'], ''] as const, [[], 'hello\n'] as const]) {
        const booted = await mu(['boot', image, ...args], input);
        expect(booted).toMatchObject({ code: 1, stdout: '' });
        expect(booted.stderr).toMatch(why);
      }
      rmSync(image, { recursive: true });
    },
    LINUX_TIMEOUT,
  );
});

test(
  'a model’s name reaches no terminal as control characters',
  async () => {
    const image = join(folder, 'evil');
    const build = ['build', evil, '--cpu', 'portable', '--stack', 'unikernel', '-o', image];
    const outcomes = [
      await mu(['inspect', evil]),
      await mu(['inspect', evil, '--json']),
      await mu(build),
      await mu([...build, '--json']),
      await mu(['run', evil, ...quick, '--json', '-p', 'x']),
    ];
    for (const { code, stdout, stderr } of outcomes) {
      expect(code, stderr).toBe(0);
      const said = stdout + stderr.replace(/\r(?=.*packing)/g, '');
      expect(said).not.toMatch(/[^\P{Cc}\n]/u);
      expect(said).not.toMatch(/\u202e/);
    }
    expect(outcomes[0].stdout).toMatch(/^model {7}Evil␛\]0;title␇␍ �31m�eman ␡ \(llama, gguf\)\n/);
  },
  LINUX_TIMEOUT,
);

test.skipIf(!hasQemu)(
  `mu boot’s pipe: whatever bytes, and it ends${NO_QEMU}`,
  async () => {
    const image = join(folder, 'image');
    const build = ['build', base, '--cpu', 'portable', '--stack', 'unikernel', '-o', image];
    expect((await mu(build)).code).toBe(0);
    const lines = [
      'col1\tcol2',
      '\x01',
      'a\x04b',
      '\x1b[A\x03\x18\x05\x02',
      '\x7f\b\0',
      '/\ufeff/',
    ];
    const bytes = [...lines.slice(0, 5), everyByte.subarray(128)].map((line) => Buffer.from(line));
    const input = bytes.flatMap((line) => [line, Buffer.from('\n/reset\n')]);
    const commands = Buffer.from('/fly\x04\n//x\n/stats');
    const options = ['--raw', '-n', '1', '--temp', '0'];
    const { code, stdout, stderr } = await mu(
      ['boot', image, ...options],
      Buffer.concat([...input, commands]),
    );
    expect(code, stderr).toBe(0);
    const counts = [...stderr.matchAll(/prompt (\d+) tokens/g)].map(([, count]) => Number(count));
    expect(counts).toEqual([...bytes, '/x'].map(tokensOf));
    expect(stdout.match(/The conversation is forgotten/g)).toHaveLength(bytes.length);
    expect(stdout).toMatch(/There is no such command/);
    expect(stdout).toMatch(/context {2}\d+ tokens used/);
  },
  LINUX_TIMEOUT,
);
