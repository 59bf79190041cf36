/** The whole way through the real command: a llama2.c checkpoint, natively and booted on a PC. */
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasStories260K, NO_STORIES, STORIES_TEXT, stories260K } from '../engine/sharedModels.ts';
import { mu } from './mu.ts';

const model = [stories260K.model, '--tokenizer', stories260K.tokenizer];
const greedy = ['-p', '', '-n', '200', '--temp', '0'];

describe.skipIf(!hasStories260K)(`stories260K ${hasStories260K ? '' : NO_STORIES}`, () => {
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mu-stories-'));
    const { code, stderr } = await mu(['build', ...model, '--stack', 'unikernel', '-o', folder]);
    expect(code, stderr).toBe(0);
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  test('mu run prints llama2.c’s published text', async () => {
    const { code, stdout, stderr } = await mu(['run', ...model, ...greedy]);
    expect(stdout, stderr).toBe(`${STORIES_TEXT}\n`);
    expect(code).toBe(0);
  });

  test('mu build makes three files', () => {
    expect(readdirSync(folder).sort()).toEqual(['manifest.json', 'model.pack', 'muinference.elf']);
  });

  test('mu boot prints it too, and powers off', async () => {
    const { code, stdout, stderr } = await mu(['boot', folder, ...greedy]);
    expect(stdout, stderr).toBe(`${STORIES_TEXT}\n`);
    expect(code).toBe(0);
  });

  test('mu boot refuses an image whose pack is damaged, cut off or gone', async () => {
    const copy = mkdtempSync(join(tmpdir(), 'mu-damaged-'));
    try {
      cpSync(folder, copy, { recursive: true });
      const pack = join(copy, 'model.pack');
      const bytes = readFileSync(pack);
      bytes[bytes.length - 1] ^= 1;
      writeFileSync(pack, bytes);
      const words = async () => (await mu(['boot', copy, ...greedy])).stderr;
      expect(await words()).toMatch(
        /model\.pack is damaged: .*\. Build the image again: mu build\n$/,
      );
      truncateSync(pack, 1000);
      expect(await words()).toMatch(/model\.pack has 1000 bytes, built were \d+\. Build/);
      rmSync(pack);
      const { code, stdout, stderr } = await mu(['boot', copy, ...greedy]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^\S*mu: .*model\.pack is missing\. Build/);
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  test('mu boot of less memory than it needs: the line, and exit code 1', async () => {
    const copy = mkdtempSync(join(tmpdir(), 'mu-small-'));
    try {
      cpSync(folder, copy, { recursive: true });
      const path = join(copy, 'manifest.json');
      const manifest = JSON.parse(readFileSync(path, 'utf8'));
      manifest.memory.total = 4 << 20;
      writeFileSync(path, JSON.stringify(manifest));
      const { code, stdout, stderr } = await mu(['boot', copy, ...greedy]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/panic: not enough memory: .*\n.*exit code 3/);
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  test('mu boot -M q35: the beginning of it', async () => {
    const args = ['-M', 'q35', '-p', '', '-n', '20', '--temp', '0'];
    const { code, stdout, stderr } = await mu(['boot', folder, ...args]);
    expect(stdout.length, stderr).toBeGreaterThan(40);
    expect(STORIES_TEXT.startsWith(stdout.trimEnd())).toBe(true);
    expect(code).toBe(0);
  });

  test('sampled with a seed, natively, checked and booted: the same bits', async () => {
    const sampled = ['-p', 'Once', '-n', '40', '--seed', '7', '--temp', '1', '--json'];
    const outcomes = [
      await mu(['run', ...model, ...sampled, '-t', '1']),
      await mu(['run', ...model, ...sampled, '-t', '2', '--checked']),
      await mu(['run', ...model, ...sampled, '--cpu', 'portable']),
      await mu(['boot', folder, ...sampled]),
    ];
    const answers = outcomes.map(({ stdout, stderr, code }) => {
      expect(code, stderr).toBe(0);
      const { text, seed, tokensHash, logitsHash } = JSON.parse(stdout);
      return { text, seed, tokensHash, logitsHash };
    });
    expect(answers[0]).toMatchObject({
      seed: '7',
      tokensHash: expect.stringMatching(/^0x\w{16}$/),
    });
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
  });

  test('a prompt from standard input', async () => {
    const args = ['run', ...model, '-n', '5', '--temp', '0', '-p'];
    const piped = await mu([...args, '-'], 'Lily and Tom\n');
    const given = await mu([...args, 'Lily and Tom']);
    expect(piped.code).toBe(0);
    expect(piped.stdout).toBe(given.stdout);
  });

  test('mu chat answers lines from a pipe, and /reset begins anew', async () => {
    const args = ['chat', ...model, '-n', '8', '--temp', '0'];
    const { code, stdout, stderr } = await mu(args, 'Once upon\n/reset\nOnce upon\n/exit\nnever\n');
    expect(code, stderr).toBe(0);
    const [first, second, ...rest] = stdout.trimEnd().split('\n');
    expect(first).not.toBe('');
    expect(second).toBe(first);
    expect(rest).toEqual([]);
  });

  test('the console attached to a pipe: a line in, an answer out', async () => {
    const { code, stdout, stderr } = await mu(['boot', folder, '-n', '20'], 'Once upon a time\n');
    expect(code, stderr).toBe(0);
    expect(stdout.length).toBeGreaterThan('Once upon a time'.length + 10);
  });

  test('/poweroff from a pipe switches off, and is no failure', async () => {
    const { code, stdout, stderr } = await mu(['boot', folder], '/stats\n/poweroff\nnever\n');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/context {2}0 tokens used, 512 left\n/);
    expect(stdout).toMatch(/\/poweroff\n$/);
  });

  test('mu boot --timeline: a table, or names in the JSON', async () => {
    const steps = ['QEMU started', 'reset', 'entry', 'memory ready', 'pack mapped', 'cores up'];
    steps.push('ready', 'first prompt token', 'first token', 'last token', 'powered off');
    const asked = ['boot', folder, '-p', 'Once', '-n', '4', '--timeline'];
    const table = await mu(asked);
    const rows = steps.map((step) => `  ${step}[^\n]* -?\\d[\\d.]* m?s\n`).join('');
    expect(table.stderr).toMatch(new RegExp(`since start +since entry\n${rows}`));
    const { timeline } = JSON.parse((await mu([...asked, '--json'])).stdout);
    const names = ['entry', 'memoryReady', 'packMapped', 'coresUp', 'ready', 'firstPromptToken'];
    for (const name of [...names, 'firstToken', 'lastToken', 'exited'])
      expect(timeline[name], name).toBeGreaterThan(0);
    for (const name of names.slice(1)) expect(timeline.sinceEntry[name], name).toBeGreaterThan(0);
  });

  test('a prompt that is too long is one line and exit code 1', async () => {
    const { code, stdout, stderr } = await mu(['run', ...model, '-p', 'a b '.repeat(2000)]);
    expect(code).toBe(1);
    expect(stdout.trim()).toBe('');
    expect(stderr).toMatch(/^mu: the prompt is too long for the context/m);
  });
});
