/**
 * llama.cpp's own tests of tokenizers: vocabularies of real models, texts, and the tokens that
 * their makers' libraries give. Checked guest code, compiled to WebAssembly.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readGgufHeader } from '../../src/model/gguf/header.ts';
import { readVocabulary } from '../../src/model/gguf/vocabulary.ts';
import { loadTokenizer } from '../../src/model/hostTokenizer.ts';
import { ModelError } from '../../src/model/index.ts';
import { openModelFile } from '../../src/model/modelFile.ts';
import { sharedModels } from './files.ts';

const folder = join(sharedModels, 'vocab');
const names = (existsSync(folder) ? readdirSync(folder) : [])
  .filter((file) => existsSync(join(folder, `${file}.inp`)))
  .map((file) => file.replace(/^ggml-vocab-|\.gguf$/g, ''));

/** Kinds of tokenizers that are not computed. */
const refused: Record<string, RegExp> = {
  'gemma-4': /tokenizer\.ggml\.model: found "gemma4"/,
  'bert-bge': /tokenizer\.ggml\.model: found "bert"/,
};

async function vocabularyOf(name: string) {
  const file = await openModelFile(join(folder, `ggml-vocab-${name}.gguf`));
  try {
    return readVocabulary(readGgufHeader(file).metadata);
  } finally {
    await file.close();
  }
}

describe.skipIf(names.length === 0)('with vocab in $MU_MODELS or ../shared/models', () => {
  test.each(names.filter((name) => !(name in refused)))('%s', async (name) => {
    const tokenizer = await loadTokenizer(
      { tokenizer: await vocabularyOf(name) },
      { checked: true },
    );
    const base = join(folder, `ggml-vocab-${name}.gguf`);
    const texts = readFileSync(`${base}.inp`, 'utf8').split('\n__ggml_vocab_test__\n');
    const expected = readFileSync(`${base}.out`, 'utf8').trimEnd().split('\n');
    const found = texts.map((text) => tokenizer.encode(text, { addBos: false }).join(' '));
    expect(texts.length).toBeGreaterThan(40);
    const lines = texts.map((text, i) => [text, found[i]]);
    expect(lines).toEqual(texts.map((text, i) => [text, (expected[i] ?? '').trim()]));
  });

  test.each(names.filter((name) => name in refused))('%s is refused', async (name) => {
    await expect(vocabularyOf(name)).rejects.toThrow(ModelError);
    await expect(vocabularyOf(name)).rejects.toThrow(refused[name]);
  });
});
