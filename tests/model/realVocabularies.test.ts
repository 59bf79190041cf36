/** Real vocabularies beside the models' own library (bench/tokenizers.ts prints a table of it). */
import { beforeAll, describe, expect, test } from 'vitest';
import {
  fetchRealVocabularies,
  hasRealVocabularies,
  ownEncoder,
  randomLines,
  readRealVocabulary,
  realVocabularies,
} from '../../bench/realVocabularies.ts';
import { loadTokenizer } from '../../src/model/hostTokenizer.ts';
import { ONLY_ALL, runsAll } from '../sample.ts';

const lines = randomLines(runsAll ? 10_000 : 500, 2);
const isHere = runsAll || hasRealVocabularies();

describe.skipIf(!isHere)(`the tokens of the model's own library${isHere ? '' : ONLY_ALL}`, () => {
  beforeAll(fetchRealVocabularies, 600_000);

  test.each(realVocabularies)('$name', { timeout: 300_000 }, async (vocabulary) => {
    const { encode } = await loadTokenizer({ tokenizer: readRealVocabulary(vocabulary) });
    const own = ownEncoder(vocabulary);
    const wrong = lines.filter((line) => encode(line).join() !== own(line).join());
    expect(wrong).toEqual([]);
  });
});
