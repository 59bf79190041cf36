/** However a prompt is cut into batches, every kind of matrix gives the same tokens and logits, bit for bit. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Answer } from '../../src/console/guest.ts';
import { DEFAULT_SETTINGS } from '../../src/console/settings.ts';
import { matrixTypes } from '../../src/pack/tiles.ts';
import { makeTinyGguf } from '../model/tinyGguf.ts';
import { processVariants, withGuest } from './guests.ts';

const settings = { ...DEFAULT_SETTINGS, temperature: 0, predict: 24, raw: true, hashLogits: true };
/** More tokens than a batch of 32 has. Cut before a space, the pieces have the tokens of the whole. */
const words = 'PACK MY BOX WITH FIVE DOZEN JUGS. PACK MY BOX AGAIN'.split(/(?= )/);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mu-batches-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const essence = ({ text, report }: Answer) => ({
  text,
  stop: report.stop,
  tokens: report.tokensHash,
  logits: report.logitsHash,
});

test.each(Object.keys(matrixTypes) as (keyof typeof matrixTypes)[])('%s', async (type) => {
  const model = join(folder, `${type}.gguf`);
  await writeFile(model, makeTinyGguf({ type, dim: 256, hidden: 512, context: 256, tied: false }));
  await withGuest({ model }, processVariants[0], async (guest) => {
    const whole = await guest.ask(words.join(''), settings);
    expect(whole.report.promptTokens).toBeGreaterThan(32);
    await guest.ask(words[0], { ...settings, forget: true, predict: 0 });
    for (const word of words.slice(1, -1)) await guest.ask(word, { ...settings, predict: 0 });
    const inPieces = await guest.ask(words[words.length - 1], settings);
    expect(essence(inPieces)).toEqual(essence(whole));
  });
});
