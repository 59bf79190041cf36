import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { PROJECT_ROOT } from '../../src/toolchain/cache.ts';

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the real command, as a person would; `env` on top of ours, `root` for another checkout. */
export async function mu(
  args: readonly string[],
  input: string | Uint8Array = '',
  env: Record<string, string> = {},
  root = PROJECT_ROOT,
): Promise<Outcome> {
  const child = spawn(process.execPath, [join(root, 'mu'), ...args], {
    stdio: 'pipe',
    env: { ...process.env, ...env },
  });
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, stdout, stderr };
}
