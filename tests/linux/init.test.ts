import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_SETTINGS } from '../../src/console/settings.ts';
import { preparePack } from '../../src/stacks/prepare.ts';
import { compileGuest, compileInit } from '../../src/toolchain/guest.ts';
import { packPath } from '../boot/start.ts';
import { hasStories260K, NO_STORIES, STORIES_TEXT, stories260K } from '../engine/sharedModels.ts';
import { runsAll, sampler } from '../sample.ts';
import { BUILD_TIMEOUT, canBoot, NEEDS, prepareLinux, withEngine, withShell } from './machine.ts';

type Start = Awaited<ReturnType<typeof prepareLinux>>;

const greedy = { ...DEFAULT_SETTINGS, temperature: 0, predict: 200, raw: true };
/** Of the story: which bits it has is tests/engine/parity.test.ts's. */
const TOKENS = runsAll ? 200 : 40;

async function compileApp(app: string): Promise<string> {
  const path = join(import.meta.dirname, '..', app);
  const guest = await compileGuest({ machine: 'process', app: path, constants: {} });
  return guest.stripped;
}

test('init is small: at most 100 lines of code', async () => {
  expect((await compileInit()).codeLines).toBeLessThanOrEqual(100);
});

describe.skipIf(!canBoot || !hasStories260K)(
  `init keeps an engine${NEEDS}${hasStories260K ? '' : ` ${NO_STORIES}`}`,
  () => {
    const rows = [false, true].flatMap((checkedInit) =>
      (['microvm', 'q35'] as const).map((machine) => ({ checkedInit, machine })),
    );
    const leftOut = sampler(rows, ({ checkedInit, machine }) => [checkedInit, machine]);
    for (const row of rows) {
      const { checkedInit, machine } = row;
      const name = `it answers, and EOT powers off: ${machine}${checkedInit ? ', init checked' : ''}`;
      const reason = leftOut(row);
      test.skipIf(reason)(
        name + reason,
        async () => {
          const { path, constants } = await preparePack(stories260K);
          const engine = await compileGuest({ machine: 'process', app: 'chat', constants });
          const start = await prepareLinux({ engine: engine.stripped, pack: path, checkedInit });
          await withEngine(start({ machine, processors: 2 }), async (guest) => {
            const { text, report } = await guest.ask('', { ...greedy, predict: TOKENS });
            expect(STORIES_TEXT.startsWith(text)).toBe(true);
            if (runsAll) expect(text).toBe(STORIES_TEXT);
            expect(report.generatedTokens).toBe(TOKENS);
            expect(await guest.close()).toBe(0);
            // Linux's own last words: kernel/reboot.c
            const last = machine === 'q35' ? 'reboot: Power down' : 'reboot: Restarting system';
            expect(guest.consoleText()).toContain(last);
            expect(guest.consoleText()).not.toContain('panic');
          });
        },
        BUILD_TIMEOUT,
      );
    }
  },
);

describe.skipIf(!canBoot)(`init${NEEDS}`, () => {
  let start: Start;
  beforeAll(async () => {
    const engine = await compileApp('boot/apps/probe.ts');
    start = await prepareLinux({ engine, pack: packPath });
  }, BUILD_TIMEOUT);

  test('an engine that dies begins again; each CPU has a thread', async () => {
    await withShell(start({ machine: 'q35', processors: 2 }), async (machine) => {
      await machine.waitFor('ready\n');
      machine.send('a');
      expect(await machine.waitFor('indices right')).toContain('cores 2\n');
      machine.send('x'); // powerOff(7)
      await machine.waitFor('init: ended by exit code 7, begins again\nready\n');
      machine.send('0'); // address zero
      await machine.waitFor('panic: page fault');
      await machine.waitFor('init: ended by exit code 1, begins again\nready\n');
      machine.send('\x04');
      await machine.waitFor('reboot: Power down');
      expect(await machine.ended()).toBe(0);
    });
  });

  test('a host that waits for an answer learns that the engine died', async () => {
    const begin = await prepareLinux({
      engine: await compileApp('linux/apps/dies.ts'),
      pack: packPath,
    });
    await withEngine(begin(), async (guest) => {
      const answer = guest.ask('', greedy);
      await expect(answer).rejects.toThrow(/malformed.*init: ended by exit code 1/);
      await expect(answer).rejects.toThrow(/panic: trap/);
    });
    await withEngine(begin(), async (guest) => {
      await expect(guest.ask('0', greedy)).rejects.toThrow(/began anew[\s\S]*panic: trap/);
    });
  });

  test('with the word shell: a shell that can look, and change nothing outside of /tmp', async () => {
    await withShell(start({ words: ['shell'] }), async (shell) => {
      await shell.waitFor('# ');
      const failing: [string, string][] = [
        ['ls -d /proc/net', 'No such file'],
        ['echo x > /x', 'Read-only file system'],
        ['echo x > /bin/x', 'Read-only file system'],
        ['echo x > /dev/x', 'Read-only file system'],
        ['rm -f /model.pack', 'Read-only file system'],
        ['mkdir /sys/x', 'Read-only file system'],
        ['mount -o remount,rw /', 'permission denied'],
        ['mount -t tmpfs x /bin', 'permission denied'],
        ['umount /proc', 'Operation not permitted'],
        ['reboot -f', 'Operation not permitted'],
      ];
      for (const [command, why] of failing) {
        const { output, code } = await shell.run(command);
        expect(output, command).toContain(why);
        expect(code, command).not.toBe(0);
      }
      expect(await shell.run('echo text > /tmp/x; cat /tmp/x')).toEqual({
        output: 'text\n',
        code: 0,
      });
      expect((await shell.run('ps')).output).toMatch(/ 1 .* \/init /);
      const { output } = await shell.run('cat /proc/mounts');
      const writable = output.split('\n').filter((line) => / rw[ ,]/.test(line));
      expect(writable).toHaveLength(1);
      expect(writable[0]).toMatch(/^tmpfs \/tmp tmpfs rw,nosuid,nodev,noexec/);
    });
  });

  test('talk is a conversation on the shell’s terminal, which is then as before', async () => {
    await withShell(start({ words: ['shell'] }), async (shell) => {
      await shell.waitFor('# ');
      const before = await shell.run('stty');
      shell.send('talk\n');
      await shell.waitFor('ready\n');
      shell.send('x');
      await shell.waitFor('# ');
      expect(await shell.run('stty')).toEqual(before);
    });
  });

  test('a shell that ends begins again; poweroff, halt and reboot end the machine', async () => {
    await withShell(start({ words: ['shell'] }), async (shell) => {
      await shell.waitFor('# ');
      shell.send('kill -9 $$\n');
      await shell.waitFor('init: ended by signal 9, begins again\n');
      await shell.waitFor('# ');
      shell.send('exit 3\n');
      await shell.waitFor('init: ended by exit code 3, begins again\n');
      await shell.waitFor('# ');
      shell.send('poweroff\n');
      expect(await shell.ended()).toBe(0);
    });
    const ends = [
      ['halt', 'reboot: Power down'],
      ['reboot', 'reboot: Restarting system'],
    ];
    for (const [command, lastWords] of ends) {
      await withShell(start({ machine: 'q35', words: ['shell'] }), async (shell) => {
        await shell.waitFor('# ');
        shell.send(`${command}\n`);
        await shell.waitFor(lastWords);
        expect(await shell.ended()).toBe(0);
      });
    }
  });
});
