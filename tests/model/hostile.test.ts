/** Whatever bytes a file has: a model or a ModelError, soon. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileChat, compileTokenizer, ModelError, openModel } from '../../src/model/index.ts';
import { hasSharedModels, put, sharedModels, temporaryFolder } from './files.ts';
import { makeTinyGguf } from './tinyGguf.ts';

const folder = temporaryFolder();
const RUNS = 300;
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

/**
 * Some bytes overwritten, some removed or inserted, the end cut off; most changes hit the first
 * `focus` bytes.
 */
function damaged(original: Uint8Array, focus: number) {
  const place = fc.oneof(fc.nat(focus - 1), fc.nat(original.length - 1));
  const interesting = fc.constantFrom(0, 1, 0x7f, 0x80, 0xff);
  const overwrite = fc.record({
    at: place,
    bytes: fc.array(fc.oneof(interesting, fc.nat(255)), { minLength: 1, maxLength: 9 }),
    removed: fc.constantFrom(0, 0, 0, 1, 8),
    inserts: fc.boolean(),
  });
  return fc
    .tuple(fc.array(overwrite, { maxLength: 4 }), fc.option(fc.nat(original.length)))
    .map(([changes, length]) => {
      let bytes = Buffer.from(original);
      for (const { at, bytes: values, removed, inserts } of changes) {
        const skipped = inserts ? 0 : values.length + removed;
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(values),
          bytes.subarray(at + skipped),
        ]);
      }
      return length === null ? bytes : bytes.subarray(0, length);
    });
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

test.each(['bpe', 'spm'] as const)('damaged GGUF files with a %s vocabulary', async (tokenizer) => {
  const original = makeTinyGguf({ ...small, tokenizer });
  const header = Buffer.from(original).indexOf('token_embd.weight') + 1000;
  const files = damaged(original, header);
  await fc.assert(
    fc.asyncProperty(files, (bytes) => openSafely(bytes)),
    { numRuns: RUNS },
  );
});

test('every single flipped bit of the first 700 bytes', async () => {
  const original = makeTinyGguf(small);
  for (let bit = 0; bit < 700 * 8; bit += 3) {
    const bytes = Buffer.from(original);
    bytes[bit >> 3] ^= 1 << (bit & 7);
    await openSafely(bytes);
  }
});

test.skipIf(!hasSharedModels)('damaged llama2.c checkpoints and tokenizers', async () => {
  const tokenizer = readFileSync(join(sharedModels, 'tok512.bin'));
  const checkpoint = readFileSync(join(sharedModels, 'stories260K.bin'));
  const files = fc.tuple(damaged(checkpoint, 28), damaged(tokenizer, 600), fc.nat(2));
  const property = fc.asyncProperty(files, ([model, vocabulary, which]) => {
    const path = put(folder, 'tok.bin', which === 0 ? tokenizer : vocabulary);
    return openSafely(which === 1 ? checkpoint : model, path);
  });
  await fc.assert(property, { numRuns: RUNS });
});

test.skipIf(!hasSharedModels)('real GGUF files damaged by a text conversion', async () => {
  for (const name of ['llama-spm', 'gpt-2', 'deepseek-llm']) {
    const bytes = readFileSync(join(sharedModels, 'vocab', `ggml-vocab-${name}.gguf`));
    const text = Buffer.from(bytes.toString('utf8')); // each byte that is no UTF-8 became U+FFFD
    await expect(openSafely(text)).resolves.toBeUndefined();
  }
});
