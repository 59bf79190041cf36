/**
 * The whole way in folders whose names hold all that a name may hold: cache, model, image,
 * temporary files.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { missingTools } from '../image/loaders.ts';
import { makeTinyGguf } from '../model/tinyGguf.ts';
import { ODD_NAME } from '../oddName.ts';
import { mu } from './mu.ts';

const top = mkdtempSync(join(tmpdir(), 'mu-paths-'));
afterAll(() => rmSync(top, { recursive: true }));

const odd = join(top, ODD_NAME);
const model = join(odd, `${ODD_NAME}.gguf`);
const env = { MU_CACHE: join(odd, 'cache'), TMPDIR: join(odd, 'temporary') };
const ASK = ['--raw', '-p', 'the', '-n', '4', '--temp', '0', '--json'];
let answer: { text: string; logitsHash: string };

beforeAll(async () => {
  mkdirSync(env.TMPDIR, { recursive: true });
  writeFileSync(model, makeTinyGguf());
  const plain = join(top, 'plain.gguf');
  writeFileSync(plain, readFileSync(model));
  const { code, stdout, stderr } = await mu(['run', plain, '--cpu', 'portable', ...ASK]);
  expect(code, stderr).toBe(0);
  answer = JSON.parse(stdout);
});

async function expectAnswer(args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await mu([...args, ...ASK], '', env);
  expect(code, stderr).toBe(0);
  const { text, logitsHash } = JSON.parse(stdout);
  expect({ text, logitsHash }).toEqual({ text: answer.text, logitsHash: answer.logitsHash });
}

test('mu run', async () => {
  await expectAnswer(['run', model, '--cpu', 'portable']);
  expect(readdirSync(env.MU_CACHE)).toContain('pack');
  expect(readdirSync(env.TMPDIR)).toEqual([]);
});

for (const [stack, tools] of [
  ['unikernel', missingTools('qemu')],
  ['metal', missingTools('qemu', 'ovmf')],
] as const) {
  const needs = tools.length > 0 ? ` (needs ${tools})` : '';
  test.skipIf(needs !== '')(
    `mu build and mu boot: ${stack}${needs}`,
    async () => {
      const folder = join(odd, `${ODD_NAME} ${stack}`);
      const options = ['--stack', stack, '-o', folder, '--cpu', 'portable'];
      const { code, stderr } = await mu(['build', model, '-c', '64', ...options], '', env);
      expect(code, stderr).toBe(0);
      await expectAnswer(['boot', folder]);
    },
    300_000,
  );
}
