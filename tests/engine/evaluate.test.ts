/** The engine's logits, by guest/apps/evaluate.ts, beside the F64 reference. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGuestEvaluator } from '../../src/measure/guestEvaluator.ts';
import { packFor, withEvaluator } from '../../src/measure/guestPrograms.ts';
import { openModel, tensorTypes, weightTypes } from '../../src/model/index.ts';
import { killChild } from '../../src/toolchain/children.ts';
import { compileGuest } from '../../src/toolchain/guest.ts';
import { startQemu } from '../../src/toolchain/qemu.ts';
import { VARIANT_NAMES } from '../../src/toolchain/variants.ts';
import { familyModels } from '../model/familyModels.ts';
import { makeTinyGguf, type TinyModel } from '../model/tinyGguf.ts';
import { runsAll } from '../sample.ts';
import { evaluateAll, FLOAT_ERROR, medianError, relativeError } from './evaluation.ts';
import { hasQemu, NO_QEMU, noVariant } from './guests.ts';
import { createReference, klDivergence } from './reference.ts';
import { hasStories260K, NO_STORIES, stories260K } from './sharedModels.ts';

/**
 * What an F32 model may differ from arithmetic in f64, mean KL divergence in nats: with keys and
 * values rounded to halves in both, and with nothing rounded in f64.
 */
const TOLERANCES = [
  { isRounded: true, most: 1e-6 },
  { isRounded: false, most: 1e-5 },
];

/**
 * ‖engine - reference‖ / ‖reference‖ of the logits of random models beside a reference without any
 * rounding: of 4- to 8-bit matrices, and of floats: halves in the cache have eleven bits.
 */
const EIGHT_BITS = 0.03;
const HALF_CACHE = 1e-3;

describe.skipIf(!hasStories260K)(`stories260K ${hasStories260K ? '' : NO_STORIES}`, () => {
  const name = 'mean KL divergence from the F64 reference ≤ $most, isRounded: $isRounded';
  test.each(TOLERANCES)(name, async ({ isRounded, most }) => {
    const { tokens, expected } = await greedyStory(300, isRounded);
    const pack = await packFor(stories260K, tokens.length);
    const divergences: number[] = [];
    const tops: boolean[] = [];
    await withEvaluator(pack, 2, async (evaluator) => {
      let position = 0;
      for await (const logits of evaluator.evaluate(tokens, 0)) {
        divergences.push(klDivergence(expected[position], logits));
        tops.push(greatest(logits) === greatest(expected[position]));
        position++;
      }
    });
    expect(divergences.length).toBe(tokens.length);
    expect(divergences.reduce((a, b) => a + b) / divergences.length).toBeLessThanOrEqual(most);
    // a half may decide between two tokens that are as likely
    if (isRounded) expect(tops.every(Boolean)).toBe(true);
  });

  test.skipIf(!hasQemu)(
    `the same program booted on a PC gives the same bits${NO_QEMU}`,
    async () => {
      const tokens = Int32Array.from({ length: 50 }, (_, i) => (i * i + 1) % 512);
      const pack = await packFor(stories260K, tokens.length);
      const { constants, path, bytes, model } = pack;
      const expected = await withEvaluator(pack, 2, (evaluator) => evaluateAll(evaluator, tokens));
      const cpu = runsAll ? undefined : 'avx2'; // one unit is compiled in place of four
      const { elf } = await compileGuest({ machine: 'pc', app: 'evaluate', cpu, constants });
      const memoryBytes = bytes + 64 * 2 ** 20;
      const qemu = startQemu({ machine: 'microvm', kernel: elf, initrd: path, memoryBytes });
      try {
        const wire = { input: qemu.stdin, output: qemu.stdout };
        const evaluator = createGuestEvaluator(wire, model.vocabulary);
        expect(await evaluateAll(evaluator, tokens)).toEqual(expected);
      } finally {
        killChild(qemu);
      }
    },
  );
});

/** The reference's own story, with every seventh token replaced: likely and unlikely contexts. */
async function greedyStory(length: number, isRounded: boolean) {
  const model = await openModel(stories260K.model, { tokenizer: stories260K.tokenizer });
  const reference = await createReference(model, { isRounded });
  await model.close();
  const tokens = new Int32Array(length);
  const expected: Float64Array[] = [];
  tokens[0] = model.tokenizer.bos ?? 0;
  for (let i = 0; i < length; i++) {
    const logits = reference.forward(tokens[i]);
    expected.push(logits);
    const next = i % 7 === 6 ? (i * 31) % model.config.vocabSize : greatest(logits);
    if (i + 1 < length) tokens[i + 1] = next;
  }
  return { tokens, expected };
}

function greatest(logits: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
}

/**
 * On the way through all its layers a rounding falls to the other side in most contexts, and each
 * layer adds its own.
 */
const isDeep = ({ layers = 0 }: TinyModel) => layers > 16;

describe('random models', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mu-evaluate-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const shapes: [string, TinyModel][] = [
    ...tensorTypes.map((type): [string, TinyModel] => {
      const { block } = weightTypes[type];
      return [type, block > 32 ? { type, dim: block, hidden: block } : { type }];
    }),
    ['one key/value head for all', { kvHeads: 1 }],
    ['a key/value head for each', { kvHeads: 4, type: 'Q4_0' }],
    ['untied output', { tied: false }],
    ['untied output, Q8_0', { tied: false, type: 'Q8_0' }],
    ['hidden width 172', { hidden: 172 }],
    ['head width 12', { dim: 48, heads: 4, kvHeads: 2, hidden: 100 }],
    ['head width 8', { dim: 64, heads: 8, kvHeads: 4, hidden: 160, type: 'Q8_0' }],
    ['vocabulary 333', { vocab: 333, tied: false }],
    ...familyModels.map(([name, shape]): [string, TinyModel] => [
      name,
      isDeep(shape) ? shape : { ...shape, type: 'Q8_0' },
    ]),
    ['gate and up of two types', { type: 'Q8_0', types: ['Q4_0', 'Q8_0'] }],
  ];

  // In a sample each is computed by one variant alone, by one after the other.
  const variants = VARIANT_NAMES.filter((name) => noVariant(name) === '');
  const rows = shapes.map(([name, shape], i) => {
    const cpu = runsAll ? undefined : variants[i % variants.length];
    return { title: cpu ? `${name}, ${cpu}` : name, name, shape, cpu };
  });
  test.each(rows)('$title', async ({ name, shape, cpu }) => {
    const path = join(folder, `${name.replace(/[^A-Za-z0-9]/g, '-')}.gguf`);
    writeFileSync(path, makeTinyGguf(shape));
    const model = await openModel(path);
    const exact = await createReference(model);
    const rounded = await createReference(model, { isRounded: true });
    await model.close();
    // more than two batches of 32, not a whole number of them
    const tokens = Int32Array.from({ length: 75 }, (_, i) => (i * i * 7 + 3) % 300);
    const pack = await packFor({ model: path }, tokens.length);
    await withEvaluator(
      pack,
      2,
      async (evaluator) => {
        const median = isDeep(shape) ? 0 : await medianError(evaluator, tokens, rounded);
        expect(median).toBeLessThan(FLOAT_ERROR);
        const isQuantized = weightTypes[shape.type ?? 'F32'].group > 1;
        const error = relativeError(await evaluateAll(evaluator, tokens), tokens, exact);
        const most = isDeep(shape) ? 4 * HALF_CACHE : HALF_CACHE;
        expect(error).toBeLessThan(isQuantized ? EIGHT_BITS : most);
      },
      cpu,
    );
  });
});
