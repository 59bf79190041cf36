/**
 * --kv q8, keys and values cached in 8 bits: what the F64 reference computes that rounds them the
 * same way, and the same bits by every unit, number of threads and size of block, as a process and
 * on a PC.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Answer } from '../../src/console/guest.ts';
import { DEFAULT_SETTINGS } from '../../src/console/settings.ts';
import { packFor, withEvaluator } from '../../src/measure/guestPrograms.ts';
import type { Evaluator } from '../../src/measure/perplexity.ts';
import { openModel } from '../../src/model/index.ts';
import { preparePack } from '../../src/stacks/prepare.ts';
import type { VariantName } from '../../src/toolchain/variants.ts';
import { temporaryFolder } from '../model/files.ts';
import { makeTinyGguf, type TinyModel } from '../model/tinyGguf.ts';
import { ONLY_ALL } from '../sample.ts';
import { FLOAT_ERROR, medianError } from './evaluation.ts';
import { pcVariants, processVariant, type Variant, withGuest } from './guests.ts';
import { createReference } from './reference.ts';

const kv = 'q8';
const folder = temporaryFolder();
function tinyModel(name: string, shape: TinyModel): string {
  const path = join(folder, `${name}.gguf`);
  writeFileSync(path, makeTinyGguf(shape));
  return path;
}

type Way = [cpu: VariantName, checked: boolean, cores: number, block: number];
const WAYS: Way[] = [
  ['portable', false, 2, 8],
  ['avx2', false, 3, 64],
  ['avxvnni', true, 1, 1],
  ['avx512vnni', false, 1, 64],
];
/** The one that each model takes. */
const LAST_WAY: Way = ['avx512vnni', true, 3, 8];

/** Heads of 32 and 64 are turned by 32 dimensions, the others by 16. */
const shapes: [string, TinyModel][] = [
  ['heads of 64', { dim: 256, heads: 4, kvHeads: 2, context: 160 }],
  // where a core's share of the rows begins within a head, and not at 32 of it
  ['a head of 48', { dim: 48, heads: 1, kvHeads: 1, context: 160 }],
];

describe.each(shapes)('%s', (name, shape) => {
  const isFirst = name === shapes[0][0];
  const model = tinyModel(name, shape);

  test('computes what the reference does', async () => {
    const opened = await openModel(model);
    const reference = await createReference(opened, { isRounded: true, cacheType: kv });
    const halves = await createReference(opened, { isRounded: true });
    await opened.close();
    const tokens = Int32Array.from({ length: 60 }, (_, i) => (i * i * 7 + 3) % 300);
    const pack = await packFor({ model, kv }, tokens.length);
    const compare = async (evaluator: Evaluator) => {
      expect(await medianError(evaluator, tokens, reference)).toBeLessThan(FLOAT_ERROR);
      // and not what it does without 8 bits
      const error = await medianError(evaluator, tokens, halves);
      expect(error).toBeGreaterThan(10 * FLOAT_ERROR);
    };
    await withEvaluator(pack, 3, compare, 'portable');
  });

  const settings = {
    ...DEFAULT_SETTINGS,
    temperature: 0,
    predict: 24,
    raw: true,
    hashLogits: true,
  };
  const text = 'PACK MY BOX WITH FIVE DOZEN JUGS. '.repeat(3);
  const essence = ({ text, report }: Answer) => [text, report.tokensHash, report.logitsHash];
  const answerOf = async (variant: Variant, block?: number) =>
    withGuest(
      { model, kv },
      variant,
      async (guest) => {
        const answer = await guest.ask(text, settings);
        expect(answer.report.promptTokens).toBeGreaterThan(64); // a chunk of the cache
        return essence(answer);
      },
      block === undefined ? {} : { MICRO_BATCH: block },
    );

  test('gives the same bits however it is run', async () => {
    const expected = await answerOf(processVariant('portable', true, 1), 1);
    for (const [cpu, checked, cores, block] of isFirst ? [...WAYS, LAST_WAY] : [LAST_WAY]) {
      const variant = processVariant(cpu, checked, cores);
      if (variant.missing) continue;
      expect(await answerOf(variant, block), `${variant.name}, blocks of ${block}`).toEqual(
        expected,
      );
    }
  });

  const [booted] = pcVariants.filter(({ cores, cpu }) => cores === 1 && cpu === 'portable');
  const missing = booted.missing || ONLY_ALL;
  test.skipIf(missing)(`and on a PC${missing}`, async () => {
    expect(await answerOf(booted)).toEqual(await answerOf(processVariant('portable', false, 2)));
  });
});

test('heads that are no whole groups are refused, and it is said what to do', async () => {
  const model = tinyModel('heads of 8', { dim: 32, heads: 4, kvHeads: 2 });
  await expect(preparePack({ model, kv })).rejects.toThrow(
    '--kv q8: found heads of 8 values, expected a multiple of 16',
  );
});
