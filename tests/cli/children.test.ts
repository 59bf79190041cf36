/** No guest outlives mu, however mu ends. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const holder = fileURLToPath(new URL('holdChild.ts', import.meta.url));
const hasSetpriv = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0;

async function leftAfter(end: 'exit' | 'throw' | NodeJS.Signals): Promise<boolean> {
  const args = ['--import', 'tsx', holder, end];
  const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const lines = createInterface({ input: parent.stdout });
  const [line] = (await once(lines, 'line')) as [string];
  const ended = once(parent, 'exit');
  if (end !== 'exit' && end !== 'throw') parent.kill(end);
  await ended;
  // The kernel may need a moment to take a killed process away.
  for (let i = 0; i < 50 && isRunning(Number(line)); i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return isRunning(Number(line));
}

/** A zombie has ended; in a container whose first process reaps nobody it stays listed for ever. */
function isRunning(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

test.each(['exit', 'throw', 'SIGINT', 'SIGTERM', 'SIGHUP'] as const)('ends by %s', async (end) => {
  expect(await leftAfter(end)).toBe(false);
});

test.skipIf(!hasSetpriv)('ends by SIGKILL (skipped without util-linux’s setpriv)', async () => {
  expect(await leftAfter('SIGKILL')).toBe(false);
});
