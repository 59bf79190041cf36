/**
 * The stack `metal` as images: each boots by OVMF from what it is for, answers, and is the same
 * wherever it is built.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { connectGuest, type Guest } from '../../src/console/guest.ts';
import { CAN } from '../../src/console/protocol.ts';
import { DEFAULT_SETTINGS } from '../../src/console/settings.ts';
import { serialTransport } from '../../src/console/transport.ts';
import { bootStack, buildStack } from '../../src/stacks/index.ts';
import type { Manifest } from '../../src/stacks/manifest.ts';
import type { ImageFormat } from '../../src/stacks/stack.ts';
import { hashFile } from '../../src/toolchain/cache.ts';
import { type Medium, startFirmware } from '../../src/toolchain/qemu.ts';
import { connectQmp } from '../../src/toolchain/qmp.ts';
import { hasStories260K, NO_STORIES, STORIES_TEXT, stories260K } from '../engine/sharedModels.ts';
import { runsAll, sampler } from '../sample.ts';
import { lightPoints, missingTools, temporaryFolder, useEmptyCache } from './loaders.ts';

const folder = temporaryFolder();
const FORMATS = ['efi', 'img', 'iso'] as const;
const missing = missingTools('qemu', 'ovmf', 'mtools', 'xorriso');
const why = !hasStories260K ? ` ${NO_STORIES}` : missing.length > 0 ? ` (needs ${missing})` : '';

const manifests = new Map<ImageFormat, Manifest>();
const homeOf = (format: ImageFormat) => join(folder, format);

/** Of the story; an emulated machine takes a second for ten. */
const TOKENS = runsAll ? 60 : 20;

async function answerOf(guest: Guest): Promise<string> {
  const settings = { ...DEFAULT_SETTINGS, temperature: 0, predict: TOKENS };
  try {
    return (await guest.ask('', settings)).text;
  } finally {
    expect(await guest.close()).toBe(0);
  }
}

describe.skipIf(why !== '')(`metal${why}`, () => {
  beforeAll(async () => {
    for (const format of FORMATS) {
      const { manifest } = await buildStack('metal', { ...stories260K, format }, homeOf(format));
      manifests.set(format, manifest);
    }
  }, 300_000);

  const WAYS: readonly [ImageFormat, Medium][] = [
    ['efi', 'folder'],
    ['img', 'disk'],
    ['iso', 'cd'],
    ['iso', 'disk'],
  ];
  const leftOut = sampler(WAYS, (way) => way);
  for (const way of WAYS) {
    const [format, medium] = way;
    const reason = leftOut(way);
    test.skipIf(reason)(`${format} boots from a ${medium}${reason}`, async () => {
      const start = { folder: homeOf(format), manifest: manifests.get(format)!, medium };
      const text = await answerOf(bootStack({ ...start, machine: 'q35', processors: 2 }));
      expect(text.length).toBeGreaterThan(TOKENS);
      expect(STORIES_TEXT.startsWith(text)).toBe(true);
    });
  }

  test('one single file, the pack within the application', async () => {
    const home = join(folder, 'embedded');
    const request = { ...stories260K, embed: true };
    const { manifest, prepared } = await buildStack('metal', request, home);
    expect(manifest.files.map(({ name }) => name)).toEqual(['esp/EFI/BOOT/BOOTX64.EFI']);
    // A section begins where a page does, and its last block is filled.
    const file = readFileSync(join(home, manifest.files[0].name));
    const pack = readFileSync(prepared.pack.path);
    const tail = Math.ceil(pack.length / 512) * 512;
    expect(
      file
        .subarray(file.length - tail)
        .subarray(0, pack.length)
        .equals(pack),
    ).toBe(true);
    const text = await answerOf(bootStack({ folder: home, manifest, machine: 'q35' }));
    expect(text.length).toBeGreaterThan(TOKENS);
    expect(STORIES_TEXT.startsWith(text)).toBe(true);
    const again = join(folder, 'embedded again');
    const { files } = (await buildStack('metal', { ...request, format: 'efi' }, again)).manifest;
    expect(files).toEqual(manifest.files);
  });

  test('an image is less than 1 MB larger than its model', () => {
    const model = statSync(stories260K.model).size;
    for (const format of FORMATS) {
      const bytes = manifests.get(format)!.files.reduce((sum, file) => sum + file.bytes, 0);
      expect(bytes, format).toBeLessThan(model + 1_000_000);
    }
  });

  test('built elsewhere, with an empty cache: the same bytes', async () => {
    useEmptyCache(folder);
    for (const format of FORMATS) {
      const again = join(folder, 'elsewhere', format);
      const { prepared } = await buildStack('metal', { ...stories260K, format }, again);
      expect(prepared.guest.efi).toContain(folder);
      for (const { name, sha256 } of manifests.get(format)!.files) {
        expect(await hashFile(join(again, name)), name).toBe(sha256);
      }
    }
  });

  test('a person at screen and keyboard', async () => {
    const qmp = join(folder, 'qmp');
    const path = join(homeOf('img'), 'muinference.img');
    const options = { firmware: 'uefi', medium: 'disk', path, screen: true, qmp } as const;
    const { total: memoryBytes } = manifests.get('img')!.memory;
    const guest = connectGuest(serialTransport(startFirmware({ ...options, memoryBytes })));
    const control = await connectQmp(qmp);
    await guest.ready();
    const before = await lightPoints(control, folder);
    await control.type('Lily\n');
    // Typed lines are echoed and answered as text; at the next prompt the machine is ready again.
    while (!guest.consoleText().includes('Lily\n')) await sleep(50);
    while (!/Lily\n.{100}/s.test(guest.consoleText())) await sleep(50);
    await sleep(500);
    expect(await lightPoints(control, folder)).toBeGreaterThan(before + 1000);
    guest.transport.write(Uint8Array.of(CAN));
    expect(await guest.close()).toBe(0);
  });
});
