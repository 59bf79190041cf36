/**
 * Our own ELF, started by Limine: the ISO of the stack `unikernel`, and `metal`'s for machines with
 * UEFI and without.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Answer, connectGuest, type Guest } from '../../src/console/guest.ts';
import { DEFAULT_SETTINGS } from '../../src/console/settings.ts';
import { serialTransport } from '../../src/console/transport.ts';
import { bootStack, buildStack } from '../../src/stacks/index.ts';
import type { Manifest } from '../../src/stacks/manifest.ts';
import { preparePack } from '../../src/stacks/prepare.ts';
import { hashFile } from '../../src/toolchain/cache.ts';
import { startChild } from '../../src/toolchain/children.ts';
import { requireTool } from '../../src/toolchain/find.ts';
import { type Firmware, firmwareArguments, type Medium } from '../../src/toolchain/qemu.ts';
import { start } from '../boot/start.ts';
import { processVariant, withGuest } from '../engine/guests.ts';
import { hasStories260K, NO_STORIES, STORIES_TEXT, stories260K } from '../engine/sharedModels.ts';
import { ONLY_ALL, runsAll, sampler } from '../sample.ts';
import {
  LIMINE_FOLDER,
  limine,
  missingTools,
  NO_LIMINE,
  temporaryFolder,
  useEmptyCache,
} from './loaders.ts';

const folder = temporaryFolder();
const missing = missingTools('qemu', 'mtools', 'xorriso');
const noTools = missing.length > 0 ? ` (needs ${missing.join(', ')})` : '';
const noLimine = limine ? noTools : ` ${NO_LIMINE}`;
const why = hasStories260K ? noLimine : ` ${NO_STORIES}`;
const noUefi = missingTools('ovmf').length > 0 ? ' (needs ovmf)' : '';

const STACKS = ['unikernel', 'metal'] as const;
type StackName = (typeof STACKS)[number];
const manifests = new Map<StackName, Manifest>();
const request = { ...stories260K, format: 'iso', limine: LIMINE_FOLDER } as const;

/** Of the story; an emulated machine takes a second for ten. */
const TOKENS = runsAll ? 60 : 20;

async function ask(guest: Guest): Promise<Answer> {
  return guest.ask('', { ...DEFAULT_SETTINGS, temperature: 0, predict: TOKENS, hashLogits: true });
}

/** The answer of a machine, which then switches itself off. */
async function lastAnswer(guest: Guest): Promise<Answer> {
  try {
    return await ask(guest);
  } finally {
    expect(await guest.close()).toBe(0);
  }
}

describe.skipIf(why !== '')(`stacks by Limine${why}`, () => {
  let expected: Answer;
  beforeAll(async () => {
    expected = await withGuest(stories260K, processVariant(undefined, false, 2), ask);
    for (const stack of STACKS) {
      const { manifest } = await buildStack(stack, request, join(folder, stack));
      manifests.set(stack, manifest);
    }
  }, 300_000);

  const WAYS: readonly [StackName, Firmware, Medium][] = [
    ['unikernel', 'bios', 'cd'],
    ['unikernel', 'bios', 'disk'],
    ['unikernel', 'uefi', 'cd'],
    ['unikernel', 'uefi', 'disk'],
    ['metal', 'bios', 'cd'],
    ['metal', 'bios', 'disk'],
    ['metal', 'uefi', 'cd'],
    ['metal', 'uefi', 'disk'],
  ];
  const withoutTools = (firmware: Firmware) => (firmware === 'uefi' ? noUefi : '');
  const leftOut = sampler(
    WAYS.filter(([, firmware]) => withoutTools(firmware) === ''),
    ([stack, firmware, medium]) => [
      [stack, firmware],
      [stack, medium],
    ],
  );
  for (const way of WAYS) {
    const [stack, firmware, medium] = way;
    const reason = withoutTools(firmware) || leftOut(way);
    test.skipIf(reason)(`${stack}, ${firmware}, ${medium}${reason}`, async () => {
      const image = { folder: join(folder, stack), manifest: manifests.get(stack)! };
      const machine = { machine: 'q35', firmware, medium, processors: 2 } as const;
      const { text, report } = await lastAnswer(bootStack({ ...image, ...machine }));
      expect(text.length).toBeGreaterThan(TOKENS);
      expect(STORIES_TEXT.startsWith(text)).toBe(true);
      const { tokensHash, logitsHash } = expected.report;
      expect(report).toMatchObject({ tokensHash, logitsHash });
    });
  }

  test('what else is asked for is refused', () => {
    const image = { folder, manifest: manifests.get('unikernel')!, machine: 'q35' } as const;
    expect(() => bootStack({ ...image, firmware: 'none' })).toThrow('--firmware bios or uefi');
    expect(() => bootStack({ ...image, medium: 'folder' })).toThrow('cd or disk: --medium');
  });

  test('the pack lies in an image once', async () => {
    const pack = await preparePack(stories260K);
    for (const stack of STACKS) {
      const bytes = readFileSync(join(folder, stack, 'muinference.iso'));
      expect(bytes.length).toBeLessThan(pack.bytes + 1_000_000);
      const head = readFileSync(pack.path).subarray(0, 512);
      expect(bytes.indexOf(head), stack).toBeGreaterThan(0);
      expect(bytes.indexOf(head), stack).toBe(bytes.lastIndexOf(head));
    }
  });

  test('a pack above 4 GiB, where Limine puts it if there is RAM', async () => {
    const path = join(folder, 'unikernel/muinference.iso');
    const memoryBytes = 6 * 2 ** 30;
    const from = { firmware: 'bios', medium: 'cd', path, memoryBytes } as const;
    const boot = (cpu: string) => {
      const [qemu, ...leading] = requireTool('qemu');
      return serialTransport(
        startChild(qemu, [...leading, ...firmwareArguments(from), '-cpu', cpu]),
      );
    };
    const { text } = await lastAnswer(connectGuest(boot('max,-erms')));
    expect(STORIES_TEXT.startsWith(text)).toBe(true);
    const small = connectGuest(boot('max,-erms,-pdpe1gb'));
    await expect(small.ready()).rejects.toThrow();
    expect(small.consoleText()).toBe(
      '\npanic: the model pack lies above 4 GiB, which a CPU without pages of 1 GiB does not reach\n',
    );
  });

  for (const stack of STACKS) {
    // tests/image/metal.test.ts has its application
    const reason = stack === 'metal' ? ONLY_ALL : '';
    const name = `${stack} built elsewhere, with an empty cache: the same bytes${reason}`;
    test.skipIf(reason)(name, async () => {
      useEmptyCache(folder);
      const again = join(folder, 'elsewhere', stack);
      await buildStack(stack, request, again);
      const [{ name, bytes, sha256 }] = manifests.get(stack)!.files;
      expect(statSync(join(again, name)).size).toBe(bytes);
      expect(await hashFile(join(again, name)), stack).toBe(sha256);
    });
  }
});

describe.skipIf(noLimine !== '')(`pc by Limine: a machine that will not do${noLimine}`, () => {
  const lastWords = async (options: Parameters<typeof start>[1]) => {
    const guest = await start('limine', options);
    return (await guest.end()).output;
  };

  test('no pack', async () => {
    expect(await lastWords({ pack: null })).toBe(
      '\npanic: no model pack: hand it over as module (limine.conf: module_path)\n',
    );
  });

  test('a CPU like SandyBridge', async () => {
    expect(await lastWords({ qemu: ['-cpu', 'SandyBridge'] })).toMatch(
      /^\npanic: this CPU has no \S+; the program is compiled for x86-64-v3/,
    );
  });

  test('more processors than it has stacks for', async () => {
    const guest = await start('limine', { cores: 20 });
    await guest.waitFor('ready');
    expect((await guest.end('v\x04')).output).toBe('ready\nsum 48\n');
  });
});
