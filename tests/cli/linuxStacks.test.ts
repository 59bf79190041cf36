/**
 * The Linux stacks through the real command: built, booted, asked. tests/image boots the ISO by its
 * firmware.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readManifest } from '../../src/stacks/manifest.ts';
import { findTool } from '../../src/toolchain/find.ts';
import { canBootLinux, LINUX_TIMEOUT, NO_LINUX } from '../engine/guests.ts';
import { hasStories260K, NO_STORIES, STORIES_TEXT, stories260K } from '../engine/sharedModels.ts';
import { ONLY_ALL, runsAll } from '../sample.ts';
import { mu } from './mu.ts';

const model = [stories260K.model, '--tokenizer', stories260K.tokenizer];
/** Tokens; 200 are the published text. */
const LENGTH = runsAll ? 200 : 60;
const greedy = ['-p', '', '-n', String(LENGTH), '--temp', '0'];
function expectStory(stdout: string, stderr: string): void {
  if (LENGTH === 200) expect(stdout, stderr).toBe(`${STORIES_TEXT}\n`);
  expect(stdout.length, stderr).toBeGreaterThan(LENGTH);
  expect(STORIES_TEXT.startsWith(stdout.trimEnd())).toBe(true);
}
const canRun = hasStories260K && canBootLinux;
const hasOvmf = findTool('ovmf').command !== null;
const missing = `${hasStories260K ? '' : NO_STORIES}${NO_LINUX}`;

describe.skipIf(!canRun).each(['linux', 'diet'])(`stack %s ${missing}`, (stack) => {
  let folder: string;
  let said: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), `mu-${stack}-`));
    const { code, stderr } = await mu(['build', ...model, '--stack', stack, '-o', folder]);
    expect(code, stderr).toBe(0);
    said = stderr;
  }, LINUX_TIMEOUT);
  afterAll(() => rmSync(folder, { recursive: true }));

  for (const machine of ['microvm', 'q35']) {
    const reason = machine === 'microvm' ? ONLY_ALL : ''; // next test, tests/engine/parity.test.ts
    const name = `mu boot -M ${machine} prints the published text, and powers off${reason}`;
    test.skipIf(reason)(name, async () => {
      const { code, stdout, stderr } = await mu(['boot', folder, '-M', machine, ...greedy]);
      expectStory(stdout, stderr);
      expect(code).toBe(0);
    });
  }

  test('the bits of the process', async () => {
    const sampled = ['-p', 'Once', '-n', '40', '--seed', '7', '--temp', '1', '--json'];
    const outcomes = [
      await mu(['run', ...model, ...sampled]),
      await mu(['boot', folder, '-t', '2', ...sampled]),
    ];
    const [native, booted] = outcomes.map(({ stdout, stderr, code }) => {
      expect(code, stderr).toBe(0);
      const { text, tokensHash, logitsHash } = JSON.parse(stdout);
      return { text, tokensHash, logitsHash };
    });
    expect(booted).toEqual(native);
  });

  test('a second build compiles nothing', async () => {
    const again = mkdtempSync(join(tmpdir(), `mu-${stack}-`));
    try {
      const { code, stderr } = await mu(['build', ...model, '--stack', stack, '-o', again]);
      expect(code, stderr).toBe(0);
      expect(stderr).not.toMatch(/\d+ of \d+/);
      const files = async (folder: string) => (await readManifest(folder)).files;
      expect(await files(again)).toEqual(await files(folder));
    } finally {
      rmSync(again, { recursive: true });
    }
  });

  test('a manifest that adds up', async () => {
    const { memory } = await readManifest(folder);
    const sum = memory.parts.reduce((total, { bytes }) => total + bytes, 0);
    expect(memory.total).toBe(Math.ceil(sum / 2 ** 20) * 2 ** 20);
  });

  if (stack === 'linux') {
    test('the whole ISO takes 6 MB at most, init 100 lines', () => {
      expect(statSync(join(folder, 'muinference.iso')).size).toBeLessThanOrEqual(6e6);
      const lines = /^init: (\d+) lines of code/m.exec(said)?.[1];
      expect(Number(lines)).toBeGreaterThan(0);
      expect(Number(lines)).toBeLessThanOrEqual(100);
    });

    test('--shell: a shell in place of the model', async () => {
      const commands = 'ls /\ncat /proc/version\npoweroff\n';
      const { code, stdout, stderr } = await mu(['boot', folder, '--shell'], commands);
      expect(code, stderr).toBe(0);
      expect(stdout).toMatch(/model\.pack/);
      expect(stdout).toMatch(/Linux version 6\.1\./);
    });
  } else {
    test.skipIf(!hasOvmf)(
      `as an EFI application by itself${hasOvmf ? '' : ' (needs ovmf)'}`,
      async () => {
        const { code, stdout, stderr } = await mu([
          'boot',
          folder,
          '--firmware',
          'uefi',
          ...greedy,
        ]);
        expectStory(stdout, stderr);
        expect(code).toBe(0);
      },
    );

    test('no shell, no BIOS: one line each', async () => {
      for (const args of [
        ['--shell'],
        ['--firmware', 'bios'],
        ['--medium', 'cd', '--firmware', 'uefi'],
      ]) {
        const { code, stderr } = await mu(['boot', folder, ...args]);
        expect(code).toBe(1);
        expect(stderr).toMatch(/^mu: the stack diet .*\n$/);
      }
    });
  }
});
