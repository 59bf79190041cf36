/**
 * A 1 MB model makes a small image for a small machine, which has exactly the memory that the
 * manifest says, or what a person would give it.
 */
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_SETTINGS } from '../../src/console/settings.ts';
import { bootStack, buildStack } from '../../src/stacks/index.ts';
import type { Manifest } from '../../src/stacks/manifest.ts';
import type { MachineStart } from '../../src/stacks/stack.ts';
import { hasStories260K, NO_STORIES, STORIES_TEXT, stories260K } from '../engine/sharedModels.ts';
import { missingTools, temporaryFolder } from './loaders.ts';

const root = temporaryFolder();

const IMAGES = [
  { stack: 'unikernel', format: undefined, least: 6, mebibytes: 8, tools: ['qemu'] },
  { stack: 'metal', format: 'img', least: 48, mebibytes: 48, tools: ['qemu', 'ovmf', 'mtools'] },
] as const;

for (const { stack, format, least, mebibytes, tools } of IMAGES) {
  const missing = missingTools(...tools);
  const why = !hasStories260K ? ` ${NO_STORIES}` : missing.length > 0 ? ` (needs ${missing})` : '';

  describe.skipIf(why !== '')(`${stack}${why}`, () => {
    const folder = join(root, stack);
    let manifest: Manifest;
    beforeAll(async () => {
      ({ manifest } = await buildStack(stack, { ...stories260K, format }, folder));
    }, 120_000);

    async function answer(start: Partial<MachineStart>, total: number): Promise<string> {
      const memory = { ...manifest.memory, total };
      const guest = bootStack({
        ...{ folder, machine: 'microvm', manifest: { ...manifest, memory } },
        ...start,
      });
      try {
        return (await guest.ask('', { ...DEFAULT_SETTINGS, temperature: 0, predict: 60 })).text;
      } finally {
        await guest.close();
      }
    }

    test('less than 2 MB', () => {
      expect(manifest.files.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(2e6);
    });

    test.each(stack === 'metal' ? (['q35'] as const) : (['microvm', 'q35'] as const))(
      `%s with ${least} MiB, as the manifest says, and with ${mebibytes}`,
      async (machine) => {
        expect(manifest.memory.total).toBe(least * 2 ** 20);
        for (const total of new Set([least, mebibytes])) {
          const text = await answer({ machine }, total * 2 ** 20);
          expect(text.length).toBeGreaterThan(100);
          expect(STORIES_TEXT.startsWith(text)).toBe(true);
        }
      },
    );
  });
}
