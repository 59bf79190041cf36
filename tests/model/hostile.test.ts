/**
 * Whatever bytes a file has: a model or a ModelError, soon. bench/fuzz.ts opens a million of each.
 */
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compileChat, compileTokenizer, ModelError, openModel } from '../../src/model/index.ts';
import { hasSharedModels, put, sharedModels, temporaryFolder } from './files.ts';
import { compareGguf } from './fuzz/compare.ts';
import { readPlainGguf } from './fuzz/plainGguf.ts';
import { createFuzzer } from './fuzz/readers.ts';
import { makeTinyGguf } from './tinyGguf.ts';

const folder = temporaryFolder();
const RUNS = 500;
const LONGEST = 3_000; // milliseconds of a processor for one file

async function openSafely(bytes: Uint8Array, tokenizer?: string): Promise<void> {
  const before = process.cpuUsage();
  try {
    const model = await openModel(put(folder, 'hostile', bytes), { tokenizer });
    await model.close();
    compileTokenizer(model);
    compileChat(model);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    expect(error.message).toMatch(/^[^\n]{1,2000}$/);
  }
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(LONGEST);
}

const small = {
  dim: 32,
  hidden: 32,
  layers: 1,
  heads: 2,
  kvHeads: 1,
  vocab: 300,
  type: 'Q8_0',
} as const;

test.each(['gguf', 'split', 'llama2c'] as const)('forged files for %s', async (reader) => {
  const own = mkdtempSync(join(folder, `${reader}-`));
  const open = createFuzzer(reader, own);
  let taken = 0;
  for (let i = 0; i < RUNS; i++) if ((await open(i)).refused === undefined) taken++;
  expect(taken).toBeGreaterThan(0);
  expect(taken).toBeLessThan(RUNS / 2);
});

test('a model that is not what its file says would be found', async () => {
  const bytes = Buffer.from(makeTinyGguf(small));
  const model = await openModel(put(folder, 'model.gguf', bytes));
  const compare = () => compareGguf(model, [readPlainGguf(bytes)]);
  await compare();
  const { fields, data } = readPlainGguf(bytes);
  const weights = [data, bytes.length - 1];
  const sizes = fields.filter(({ kind, at }) => kind === 'float' && at < 1000).map(({ at }) => at);
  for (const at of [...weights, ...sizes, bytes.indexOf('Ġthe'), bytes.indexOf('blk.0')]) {
    bytes[at] ^= 1;
    await expect(compare(), `byte ${at}`).rejects.toThrow();
    bytes[at] ^= 1;
  }
  await model.close();
});

test('every single flipped bit of the first 700 bytes', async () => {
  const original = makeTinyGguf(small);
  for (let bit = 0; bit < 700 * 8; bit += 3) {
    const bytes = Buffer.from(original);
    bytes[bit >> 3] ^= 1 << (bit & 7);
    await openSafely(bytes);
  }
});

test.skipIf(!hasSharedModels)('real GGUF files damaged by a text conversion', async () => {
  for (const name of ['llama-spm', 'gpt-2', 'deepseek-llm']) {
    const bytes = readFileSync(join(sharedModels, 'vocab', `ggml-vocab-${name}.gguf`));
    const text = Buffer.from(bytes.toString('utf8')); // each byte that is no UTF-8 became U+FFFD
    await expect(openSafely(text)).resolves.toBeUndefined();
  }
});
