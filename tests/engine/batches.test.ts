/**
 * However a prompt is cut into batches, by whatever code: every kind of matrix gives the same
 * tokens and logits, bit for bit.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, connectGuest, type Guest } from '../../src/console/guest.ts';
import { DEFAULT_SETTINGS } from '../../src/console/settings.ts';
import { serialTransport } from '../../src/console/transport.ts';
import { tensorTypes } from '../../src/model/index.ts';
import { preparePack } from '../../src/stacks/prepare.ts';
import { compileGuest } from '../../src/toolchain/guest.ts';
import { startQemu } from '../../src/toolchain/qemu.ts';
import { VARIANT_NAMES, type VariantName } from '../../src/toolchain/variants.ts';
import { familyModels, partsOf } from '../model/familyModels.ts';
import { EVERY_TYPE, makeTinyGguf, type TinyModel } from '../model/tinyGguf.ts';
import { ONLY_ALL, runsAll, sampler } from '../sample.ts';
import { NO_QEMU, processVariant, processVariants, withGuest } from './guests.ts';

const settings = { ...DEFAULT_SETTINGS, temperature: 0, predict: 24, raw: true, hashLogits: true };
/**
 * More tokens than a batch of 32 has. Cut before a space, the pieces have the tokens of the whole.
 */
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

/** A prompt that arrives in pieces. */
async function askInPieces(name: string, shape: TinyModel): Promise<void> {
  const model = join(folder, `${name}.gguf`);
  await writeFile(model, makeTinyGguf(shape));
  await withGuest({ model }, processVariants[0], async (guest) => {
    const whole = await guest.ask(words.join(''), settings);
    expect(whole.report.promptTokens).toBeGreaterThan(32);
    await guest.ask(words[0], { ...settings, forget: true, predict: 0 });
    for (const word of words.slice(1, -1)) await guest.ask(word, { ...settings, predict: 0 });
    const inPieces = await guest.ask(words[words.length - 1], settings);
    expect(essence(inPieces)).toEqual(essence(whole));
  });
}

test('matrices of every type in one model', () => askInPieces('all', EVERY_TYPE));
test.skipIf(ONLY_ALL).each(tensorTypes)(`%s alone${ONLY_ALL}`, (type) =>
  askInPieces(type, { type, dim: 256, hidden: 512, context: 256, tied: false }),
);

/**
 * One model with matrices of every type, by every unit, with 1 to 3 threads and blocks of 1, 8 and
 * 64 tokens of the prompt at a time. What the others are compared with: portable code, one thread,
 * one token at a time.
 */
describe('every kernel, however it is run', () => {
  const blocks = [1, 8, 64];
  const text = words.join('').repeat(3);
  let model: string;
  let reference: Answer;
  beforeAll(async () => {
    model = join(folder, 'every.gguf');
    await writeFile(model, makeTinyGguf(EVERY_TYPE));
    reference = await ask('portable', 1, 1);
  });

  const question = (guest: Guest) => guest.ask(text, settings);
  const variantOf = (cpu: VariantName, cores: number) => processVariant(cpu, false, cores);
  const ask = (cpu: VariantName, cores: number, block: number) =>
    withGuest({ model }, variantOf(cpu, cores), question, { MICRO_BATCH: block });

  test('the prompt has more tokens than two blocks', () => {
    expect(reference.report.promptTokens).toBeGreaterThan(128);
  });

  const axes = (row: { cpu: string; block: number }) => [row.cpu, row.block];
  const rows = VARIANT_NAMES.flatMap((cpu) => blocks.map((block) => ({ cpu, block })));
  const leftOut = sampler(
    rows.filter(({ cpu }) => variantOf(cpu, 1).missing === ''),
    axes,
  );
  for (const row of rows) {
    const { cpu, block } = row;
    const reason = variantOf(cpu, 1).missing || leftOut(row);
    test.skipIf(reason)(`process, ${cpu}, blocks of ${block}${reason}`, async () => {
      for (const cores of [1, 2, 3]) {
        const answer = await ask(cpu, cores, block);
        expect(essence(answer), `${cores} threads`).toEqual(essence(reference));
      }
    });
  }

  const emulated = (['portable', 'avx2'] as const).flatMap((cpu) =>
    [1, 64].map((block) => ({ cpu, block })),
  );
  const notEmulated = sampler(emulated, axes);
  for (const how of emulated) {
    const reason = NO_QEMU || notEmulated(how);
    const name = `pc, ${how.cpu}, blocks of ${how.block}${reason}`;
    test.skipIf(reason)(name, () => onPc(how));
  }

  async function onPc(how: (typeof emulated)[number]): Promise<void> {
    const { path, bytes, constants } = await preparePack({ model });
    const { elf } = await compileGuest({
      ...{ machine: 'pc', app: 'chat', cpu: how.cpu },
      constants: { ...constants, MICRO_BATCH: how.block },
    });
    const memoryBytes = bytes + 64 * 2 ** 20;
    const guest = connectGuest(
      serialTransport(startQemu({ machine: 'microvm', kernel: elf, initrd: path, memoryBytes })),
    );
    try {
      expect(essence(await question(guest))).toEqual(essence(reference));
    } finally {
      await guest.close();
    }
  }
});

/**
 * Every part that a family has beside Llama's, as above; a sample takes each part by one unit and
 * one size of block.
 */
describe('every family, however it is run', () => {
  const text = words.join('');
  const settingsOf = { ...settings, predict: 8 };
  const ask = (model: string, cpu: VariantName, cores: number, block: number) =>
    withGuest(
      { model },
      processVariant(cpu, false, cores),
      (guest) => guest.ask(text, settingsOf),
      { MICRO_BATCH: block },
    );
  const units = VARIANT_NAMES.filter((cpu) => processVariant(cpu, false, 1).missing === '');
  const blocks = [64, 8, 1];

  const leftOut = sampler(familyModels, ([, shape]) => partsOf(shape));
  for (const [i, row] of familyModels.entries()) {
    const reason = leftOut(row);
    test.skipIf(reason)(row[0] + reason, () => compare(i, row[1]));
  }

  async function compare(i: number, shape: TinyModel): Promise<void> {
    const model = join(folder, `family-${i}.gguf`);
    await writeFile(model, makeTinyGguf({ ...shape, type: 'Q8_0' }));
    const expected = await ask(model, 'portable', 1, 1);
    const ways = units.flatMap((cpu) => blocks.map((block) => ({ cpu, block })));
    const one = { cpu: units[i % units.length], block: blocks[i % blocks.length] };
    for (const { cpu, block } of runsAll ? ways : [one]) {
      for (const cores of [1, 2, 3]) {
        const answer = await ask(model, cpu, cores, block);
        const how = `${cpu}, ${cores} threads, blocks of ${block}`;
        expect(essence(answer), how).toEqual(essence(expected));
      }
    }
  }
});
