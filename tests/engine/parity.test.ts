/**
 * One model, one prompt, one seed: the same text, tokens and logits, bit for bit, on every machine,
 * stack, CPU variant and number of cores, checked or not. The first variant's answer is what the
 * others are compared with.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '../../src/console/guest.ts';
import { DEFAULT_SETTINGS, type Settings } from '../../src/console/settings.ts';
import { tensorTypes } from '../../src/model/index.ts';
import { familyModels } from '../model/familyModels.ts';
import { EVERY_TYPE, makeTinyGguf, type TinyModel } from '../model/tinyGguf.ts';
import { ONLY_ALL, runsAll, sampler } from '../sample.ts';
import {
  crowdedVariants,
  LINUX_TIMEOUT,
  limineVariants,
  linuxVariants,
  type ModelFiles,
  metalVariants,
  NO_QEMU,
  pcVariants,
  processVariants,
  type Variant,
  withGuest,
} from './guests.ts';
import { hasStories260K, NO_STORIES, STORIES_TEXT, stories260K } from './sharedModels.ts';

const greedy: Settings = { ...DEFAULT_SETTINGS, temperature: 0, hashLogits: true };
const sampled: Settings = {
  ...{
    ...greedy,
    temperature: 0.9,
    topK: 20,
    topP: 0.9,
    minP: 0.01,
    repeatPenalty: 1.1,
    seed: 42n,
  },
  ...{ forget: true, raw: true },
};

interface Question {
  text: string;
  settings: Settings;
}

/** Asked one after the other: the second goes on from the first, the third begins anew. */
const storyQuestions = (length: number): Question[] => [
  { text: '', settings: { ...greedy, predict: length } },
  { text: ' The end. Then', settings: { ...greedy, predict: 20, raw: true } },
  { text: 'A small dragon', settings: { ...sampled, predict: Math.min(60, length) } },
];
/** Tokens of the published text; and what an emulated machine says of them in a sample. */
const WHOLE = 200;
const PART = 24;

/**
 * In a sample, with the one unit alone that QEMU's CPU would choose (tests/engine/units.test.ts):
 * compiled once in place of four times.
 */
const asSampled = (variant: Variant): Variant =>
  runsAll || variant.on === 'process'
    ? variant
    : { ...variant, name: `${variant.name}, portable alone`, cpu: 'portable' };

/** More than one batch of 32 tokens, then a chat. */
const tinyQuestions: Question[] = [
  { text: 'PACK MY BOX WITH FIVE DOZEN JUGS. '.repeat(2), settings: { ...sampled, predict: 8 } },
  { text: 'Why is the sky blue?', settings: { ...greedy, predict: 8, forget: true } },
];

function ask(model: ModelFiles, variant: Variant, questions: Question[]): Promise<Answer[]> {
  return withGuest(model, variant, async (guest) => {
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

const [first, ...others] = processVariants;

describe.skipIf(!hasStories260K)(`stories260K ${hasStories260K ? '' : NO_STORIES}`, () => {
  const known = new Map<number, Promise<Answer[]>>();
  const expectedAnswers = (length = WHOLE) => {
    const answers = known.get(length) ?? ask(stories260K, first, storyQuestions(length));
    known.set(length, answers);
    return answers;
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

  const compare = async (variant: Variant) => {
    const length = runsAll || variant.on === 'process' ? WHOLE : PART;
    const answers = await ask(stories260K, variant, storyQuestions(length));
    if (length === WHOLE) expect(answers[0].text).toBe(STORIES_TEXT);
    expect(answers[0].text.length).toBeGreaterThan(length);
    expect(STORIES_TEXT.startsWith(answers[0].text)).toBe(true);
    expect(answers.map(essence)).toEqual((await expectedAnswers(length)).map(essence));
  };
  // Other tests have the guests of the rest.
  const onPc = pcVariants.map((variant) => (variant.checked ? asSampled(variant) : variant));
  const booted = [...onPc, ...metalVariants, ...linuxVariants];
  const variants = [...others, ...crowdedVariants, ...booted];
  const leftOut = sampler(
    variants.filter(({ missing }) => missing === ''),
    ({ on, checked, cores, cpu }) =>
      on === 'process' ? [on, on, checked, cores, cpu] : [on.stack, on.qemu, checked, cores],
  );
  for (const variant of variants) {
    const reason = variant.missing || leftOut(variant);
    const limit = linuxVariants.includes(variant) ? LINUX_TIMEOUT : undefined;
    test.skipIf(reason)(variant.name + reason, () => compare(variant), limit);
  }
  // tests/image/limineStacks.test.ts compares the same bits.
  for (const variant of limineVariants) {
    const reason = variant.missing || ONLY_ALL;
    test.skipIf(reason)(variant.name + reason, () => compare(variant));
  }
});

describe('random models', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mu-parity-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const native = processVariants.filter(({ cores, checked }) => cores === 3 && !checked);
  const isPlain = ({ checked, cores, cpu }: Variant) => !checked && cores === 2 && !cpu;
  const booted = [
    ...pcVariants.filter(isPlain),
    ...metalVariants.filter(({ cores }) => cores === 3),
    ...linuxVariants.filter(isPlain).slice(-1),
  ];
  const variants = [...native, ...booted.map(asSampled)].filter(({ missing }) => missing === '');

  const compare = async (name: string, shape: TinyModel) => {
    const model = join(folder, `${name}.gguf`);
    writeFileSync(model, makeTinyGguf(shape));
    const expected = (await ask({ model }, first, tinyQuestions)).map(essence);
    expect(expected[0].promptTokens).toBeGreaterThan(32);
    for (const variant of variants) {
      const answers = await ask({ model }, variant, tinyQuestions);
      expect(answers.map(essence), variant.name).toEqual(expected);
    }
  };
  const types = tensorTypes.filter((type) => type !== 'F32'); // which stories260K has
  test(
    `matrices of every type in one model${NO_QEMU}`,
    () => compare('all', EVERY_TYPE),
    LINUX_TIMEOUT,
  );
  // Of the families, the one that has most parts
  const families = familyModels.filter(([name]) => runsAll || name === 'gemma2');
  test.each(families)(
    `%s${NO_QEMU}`,
    (name, shape) => compare(name.replace(/\W/g, '-'), { ...shape, type: 'Q8_0' }),
    LINUX_TIMEOUT,
  );
  test.skipIf(ONLY_ALL).each(types)(`%s alone${NO_QEMU}${ONLY_ALL}`, (type) =>
    compare(type, { type, dim: 256, hidden: 256, heads: 4, kvHeads: 2 }),
  );
});
