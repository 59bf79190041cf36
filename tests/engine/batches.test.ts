/** However a prompt is cut into batches, by whatever code: every kind of matrix gives the same tokens and logits, bit for bit. */
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
import { makeTinyGguf } from '../model/tinyGguf.ts';
import { hasQemu, NO_QEMU, processVariant, processVariants, withGuest } from './guests.ts';

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

test.each(tensorTypes)('%s', async (type) => {
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

/**
 * One model with matrices of every type, by every unit, with 1 to 3 threads and blocks of 1, 8 and 64 tokens of the prompt at a
 * time. What the others are compared with: portable code, one thread, one token at a time.
 */
describe('every kernel, however it is run', () => {
  const blocks = [1, 8, 64];
  const text = words.join('').repeat(3);
  let model: string;
  let reference: Answer;
  beforeAll(async () => {
    model = join(folder, 'every.gguf');
    const shape = { dim: 256, hidden: 512, heads: 4, kvHeads: 2, context: 256, tied: false };
    await writeFile(model, makeTinyGguf({ ...shape, types: tensorTypes }));
    reference = await ask('portable', 1, 1);
  });

  const question = (guest: Guest) => guest.ask(text, settings);
  const variantOf = (cpu: VariantName, cores: number) => processVariant(cpu, false, cores);
  const ask = (cpu: VariantName, cores: number, block: number) =>
    withGuest({ model }, variantOf(cpu, cores), question, { MICRO_BATCH: block });

  test('the prompt has more tokens than two blocks', () => {
    expect(reference.report.promptTokens).toBeGreaterThan(128);
  });

  for (const cpu of VARIANT_NAMES) {
    const { missing } = variantOf(cpu, 1);
    test.skipIf(missing).each(blocks)(`process, ${cpu}, blocks of %i${missing}`, async (block) => {
      for (const cores of [1, 2, 3]) {
        const answer = await ask(cpu, cores, block);
        expect(essence(answer), `${cores} threads`).toEqual(essence(reference));
      }
    });
  }

  const emulated = (['portable', 'avx2'] as const).flatMap((cpu) =>
    [1, 64].map((block) => ({ cpu, block })),
  );
  test.skipIf(!hasQemu).each(emulated)(`pc, $cpu, blocks of $block${NO_QEMU}`, async (how) => {
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
  });
});
