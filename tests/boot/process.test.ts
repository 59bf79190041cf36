import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compile, packPath, type StartOptions, start, writeScratch } from './start.ts';

/** Starts the probe as it should not be started. */
async function refused(options: StartOptions) {
  const guest = await start('process', options);
  const { code, output } = await guest.end();
  expect(output).toBe('');
  return { code, message: guest.errors() };
}

describe('process: arguments', () => {
  test('none', async () => {
    expect(await refused({ pack: null })).toEqual({
      code: 2,
      message: 'usage: PROGRAM PACKFILE [THREADS]\n',
    });
  });

  test.each(['0', '65', '2x', '', '-1', '99999999999999999999'])(
    'threads "%s"',
    async (threads) => {
      expect(await refused({ arguments: [threads] })).toEqual({
        code: 2,
        message: 'THREADS must be a number from 1 to 64\n',
      });
    },
  );

  test('a pack that is not there', async () => {
    const { code, message } = await refused({ pack: '/nowhere/pack' });
    expect(code).toBe(1);
    expect(message).toContain(
      'pack file /nowhere/pack cannot be opened: no such file (Linux error 2)',
    );
  });

  test('an empty pack', async () => {
    const { code, message } = await refused({ pack: writeScratch('empty', '') });
    expect(code).toBe(1);
    expect(message).toMatch(/^pack file \S+ is empty\n/);
  });

  test('a folder as pack', async () => {
    const { code, message } = await refused({ pack: '/tmp' });
    expect(code).toBe(1);
    expect(message).toContain('pack file /tmp is not a regular file');
  });

  test.skipIf(process.getuid?.() === 0)('a pack that may not be read (root may)', async () => {
    const pack = writeScratch('secret', 'x');
    chmodSync(pack, 0);
    expect((await refused({ pack })).message).toContain('permission denied');
  });
});

/** Process 1 of a container is no machine's: switching that off is not its business. */
const canUnshare = spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0;

test.skipIf(!canUnshare)(
  `process: as the first of a container${canUnshare ? '' : ' (needs unshare, as root)'}`,
  async () => {
    const { elf } = await compile('process');
    const args = ['--pid', '--fork', elf, packPath];
    const run = spawnSync('unshare', args, { input: 'ax', encoding: 'latin1', timeout: 20_000 });
    expect(run.stdout).toBe('ready\ncores 1\nindices right 64\n');
    expect(run.status).toBe(7);
  },
);

describe('process: threads', () => {
  test.each([1, 2, 5, 64])('%i', async (threads) => {
    const guest = await start('process', { arguments: [String(threads)] });
    const { output } = await guest.end('a');
    expect(output).toBe(`ready\ncores ${threads}\nindices right 64\n`);
  });
});

describe('process: console', () => {
  test('the end of input ends the probe', async () => {
    const guest = await start('process');
    expect(await guest.end()).toMatchObject({ code: 0, output: 'ready\n' });
  });

  test('a reader that goes away ends the process', async () => {
    const guest = await start('process');
    await guest.waitFor('ready');
    guest.child.stdout.destroy();
    const { code, signal } = await guest.end('l');
    expect(code === 1 || signal === 'SIGPIPE').toBe(true);
  });
});
