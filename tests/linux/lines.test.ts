import { describe, expect, test } from 'vitest';
import { countReached } from '../../src/lines/reached.ts';
import { countStack, type StackLines } from '../../src/measure/stackLines.ts';
import { findModel } from '../../src/pull/models.ts';
import { STACKS } from '../../src/stacks/manifest.ts';
import { preparePack } from '../../src/stacks/prepare.ts';
import type { GuestMachine } from '../../src/toolchain/architectures.ts';
import { PROJECT_ROOT } from '../../src/toolchain/cache.ts';
import { guestToC } from '../../src/toolchain/guest.ts';
import { mu } from '../cli/mu.ts';
import { hasStories260K, NO_STORIES, stories260K } from '../engine/sharedModels.ts';
import { BUILD_TIMEOUT, canBoot, NEEDS } from './machine.ts';

describe.skipIf(!canBoot)(`lines of code${NEEDS}`, () => {
  test.each(STACKS)(
    'stack %s stays within its budget',
    async (stack) => {
      const { layers, total, budget } = await countStack(stack);
      expect(total).toBe(layers.reduce((sum, { code }) => sum + code, 0));
      if (stack !== 'metal') expect(total).toBeLessThanOrEqual(budget);
      for (const { layer, code } of layers) expect(code, layer).toBeGreaterThan(0);
    },
    BUILD_TIMEOUT,
  );

  // Its 10,000 lines have the compiler in them. This passes as long as they are exceeded; when it
  // fails, treat metal as the others.
  test.fails('metal too', async () => {
    const { total, budget } = await countStack('metal');
    expect(total).toBeLessThanOrEqual(budget);
  });

  test('every layer of the stack linux is there, most of it Linux', async () => {
    const { layers, total } = await countStack('linux');
    const names = layers.map(({ layer }) => layer.split(' ')[0]);
    expect(names).toEqual(
      expect.arrayContaining(['guest/engine', 'guest/linux', 'BusyBox', 'musl', 'Linux', 'Limine']),
    );
    const kernel = layers.find(({ layer }) => layer.startsWith('Linux'))?.code ?? 0;
    expect(kernel / total).toBeGreaterThan(0.5);
  });
});

const smollm2 = await findModel('smollm2-135m-instruct');
const NO_SMOLLM2 = smollm2 ? '' : ' (needs the model: mu pull smollm2-135m-instruct)';

const text = (count: number) => count.toLocaleString('en');

describe('mu lines', () => {
  test('--json is what the table shows', async () => {
    const table = await mu(['lines', 'unikernel']);
    const json = await mu(['lines', 'unikernel', '--json']);
    expect(json.code, json.stderr).toBe(0);
    const { layers, total } = JSON.parse(json.stdout);
    expect(total).toBeLessThanOrEqual(100_000);
    for (const { layer, code } of layers) {
      expect(table.stdout).toMatch(
        new RegExp(`^${layer.replaceAll(/[()]/g, '.')} .* ${code.toLocaleString('en')}$`, 'm'),
      );
    }
  });

  test.skipIf(!hasStories260K)(
    `--model counts what is in its image ${hasStories260K ? '' : NO_STORIES}`,
    async () => {
      const { model, tokenizer } = stories260K;
      const args = ['lines', 'unikernel', '--model', model, '--tokenizer', tokenizer];
      const json = await mu([...args, '--json']);
      expect(json.code, json.stderr).toBe(0);
      const { layers, guest, generatedC }: StackLines = JSON.parse(json.stdout);
      const ours = layers.filter(({ layer }) => layer.startsWith('guest/'));
      for (const { layer, code, reached } of ours) expect(reached, layer).toBeLessThanOrEqual(code);
      const sum = ours.reduce((sum, { reached = 0 }) => sum + reached, 0);
      expect(guest.reached).toBe(sum);
      expect(guest.reached).toBeLessThan(guest.code);
      // A model in F32 needs no products of bytes.
      const dots = ours.find(({ layer }) => layer === 'guest/kernels/dots');
      expect(dots?.reached).toBe(0);
      expect(generatedC).toBeGreaterThan(sum);
      const { stdout } = await mu(args);
      expect(stdout).toMatch(new RegExp(`^guest in all +${text(guest.code)} +${text(sum)}$`, 'm'));
    },
  );

  const imageOf = async (machine: GuestMachine) => {
    const { constants } = await preparePack({ model: smollm2 as string });
    const { reached } = await guestToC({ machine, app: 'chat', constants });
    const lines = [...countReached(reached, PROJECT_ROOT).values()];
    return lines.reduce((sum, count) => sum + count);
  };

  describe.skipIf(!smollm2)(`the guest of SmolLM2 in its image${NO_SMOLLM2}`, () => {
    test.each(['process', 'pc', 'uefi'] as const)('%s', async (machine) => {
      expect(await imageOf(machine)).toBeLessThanOrEqual(3780);
    });
  });

  test('no such stack: what there is', async () => {
    const { code, stderr } = await mu(['lines', 'metalic']);
    expect(code).toBe(2);
    expect(stderr).toContain('unikernel');
  });
});

describe('mu surface', () => {
  test.skipIf(!canBoot)(`--json${NEEDS}`, async () => {
    const { code, stdout, stderr } = await mu(['surface', 'linux', 'diet', '--json']);
    expect(code, stderr).toBe(0);
    const [linux, diet] = JSON.parse(stdout);
    expect(linux.file.socketFamilies).toEqual([]);
    expect(diet.file.systemCalls.length).toBeLessThan(linux.file.systemCalls.length);
  });

  test('what is no kernel', async () => {
    for (const file of ['nothing', 'src', 'package.json']) {
      const { code, stderr } = await mu(['surface', file]);
      expect(code).toBe(1);
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(stderr).toContain(file);
    }
  });
});
