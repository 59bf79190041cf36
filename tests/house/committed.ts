import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** What git knows of: committed or about to be, and still there. Paths from the root. */
export function committedFiles(): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard'];
  // safe.directory: the tests may run as another user than the one who cloned.
  const run = spawnSync('git', ['-c', 'safe.directory=*', ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`git ls-files failed: ${run.stderr}`);
  const files = run.stdout.split('\n').filter((file) => file !== '');
  return files.filter((file) => existsSync(join(root, file)));
}
