/**
 * One model, one prompt, one seed: the same text, tokens and logits, bit for bit, on every machine, CPU level and number of
 * cores, checked or not. The first variant's answer is what the others are compared with.
 */
import { describe, expect, test } from 'vitest';
import type { Answer } from '../../src/console/guest.ts';
import { DEFAULT_SETTINGS, type Settings } from '../../src/console/settings.ts';
import { hasQemu, pcVariants, processVariants, type Variant, withGuest } from './guests.ts';
import { hasStories260K, NO_STORIES, STORIES_TEXT, stories260K } from './sharedModels.ts';

const greedy: Settings = { ...DEFAULT_SETTINGS, temperature: 0, hashLogits: true };

/** Asked one after the other: the second goes on from the first, the third begins anew. */
const questions: { text: string; settings: Settings }[] = [
  { text: '', settings: { ...greedy, predict: 200 } },
  { text: ' The end. Then', settings: { ...greedy, predict: 20, raw: true } },
  {
    text: 'A small dragon',
    settings: {
      ...{ ...greedy, predict: 60, forget: true, raw: true },
      ...{ temperature: 0.9, topK: 20, topP: 0.9, minP: 0.01, repeatPenalty: 1.1, seed: 42n },
    },
  },
];

function ask(variant: Variant): Promise<Answer[]> {
  return withGuest(stories260K, variant, async (guest) => {
    const answers: Answer[] = [];
    for (const { text, settings } of questions) answers.push(await guest.ask(text, settings));
    return answers;
  });
}

/** What must not depend on the machine. */
function essence({ text, report }: Answer) {
  const { promptTokens, generatedTokens, contextUsed, stop, tokensHash, logitsHash } = report;
  return { text, promptTokens, generatedTokens, contextUsed, stop, tokensHash, logitsHash };
}

describe.skipIf(!hasStories260K)(`stories260K ${hasStories260K ? '' : NO_STORIES}`, () => {
  const [first, ...others] = processVariants;
  let expected: Promise<Answer[]> | undefined;
  const expectedAnswers = () => {
    expected ??= ask(first);
    return expected;
  };

  test(`${first.name}: the published text`, async () => {
    const [story] = await expectedAnswers();
    expect(story.text).toBe(STORIES_TEXT);
  });

  test('hashes stand for something', async () => {
    const hashes = (await expectedAnswers()).flatMap(({ report }) => [
      report.tokensHash,
      report.logitsHash,
    ]);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test.each(others.map((variant) => [variant.name, variant] as const))('%s', async (_, variant) => {
    const answers = await ask(variant);
    expect(answers.map(essence)).toEqual((await expectedAnswers()).map(essence));
  });

  test.skipIf(!hasQemu).each(pcVariants.map((variant) => [variant.name, variant] as const))(
    `%s${hasQemu ? '' : ' (needs qemu-system-x86_64)'}`,
    async (_, variant) => {
      const answers = await ask(variant);
      expect(answers[0].text).toBe(STORIES_TEXT);
      expect(answers.map(essence)).toEqual((await expectedAnswers()).map(essence));
    },
  );
});
