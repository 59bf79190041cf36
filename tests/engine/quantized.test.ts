/**
 * Every kind of matrix gives the same tokens and logits, bit for bit, whatever instructions the dot products are made of (AVX2
 * alone, the host's own, QEMU's) and however the prompt is cut into batches.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '../../src/console/guest.ts';
import { DEFAULT_SETTINGS } from '../../src/console/settings.ts';
import { matrixTypes } from '../../src/pack/tiles.ts';
import { makeTinyGguf } from '../model/tinyGguf.ts';
import { hasQemu, pcVariants, processVariants, type Variant, withGuest } from './guests.ts';

const settings = { ...DEFAULT_SETTINGS, temperature: 0, predict: 24, raw: true, hashLogits: true };
/** More tokens than a batch has, and not a multiple of it. Cut before a space, its pieces have the same tokens. */
const words = 'the quick brown fox jumps over the lazy dog, and then over another one'.split(
  /(?= )/,
);
const types = Object.keys(matrixTypes) as (keyof typeof matrixTypes)[];
const variants: Variant[] = [
  processVariants[0], // AVX2
  processVariants[processVariants.length - 1], // the host's best, checked, two cores
  ...(hasQemu ? pcVariants.slice(0, 1) : []),
];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mu-quantized-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const essence = ({ text, report }: Answer) => ({
  text,
  stop: report.stop,
  tokens: report.tokensHash,
  logits: report.logitsHash,
});

describe.each(types)('%s', (type) => {
  test(`is the same on ${variants.map(({ name }) => name).join(' · ')}`, async () => {
    const model = join(folder, `${type}.gguf`);
    await writeFile(
      model,
      makeTinyGguf({ type, dim: 256, hidden: 512, context: 256, tied: false }),
    );
    const whole = (variant: Variant) =>
      withGuest({ model }, variant, async (guest) =>
        essence(await guest.ask(words.join(''), settings)),
      );
    const expected = await whole(variants[0]);
    for (const variant of variants.slice(1)) expect(await whole(variant)).toEqual(expected);
    const inPieces = await withGuest({ model }, variants[0], async (guest) => {
      for (const word of words.slice(0, -1)) await guest.ask(word, { ...settings, predict: 0 });
      return essence(await guest.ask(words[words.length - 1], settings));
    });
    expect(inPieces).toEqual(expected);
  });
});
