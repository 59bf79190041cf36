import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Command } from 'commander';
import { buildBusybox } from '../toolchain/busybox.ts';
import { PROJECT_ROOT } from '../toolchain/cache.ts';
import { ensureTools } from '../toolchain/install.ts';
import { buildKernel, KERNEL_NAMES } from '../toolchain/kernel.ts';
import { TOOLS } from '../toolchain/tools.ts';
import { DEFAULT_MODEL, obtainModel } from './modelOptions.ts';
import { createProgress, EXIT_FAILURE, say } from './terminal.ts';

/** What `npm test` runs, in order: all of it, so that a slip of style hides no failing test. */
function steps(vitestArguments: readonly string[]): string[][] {
  return [
    ['biome', 'check', '.'],
    ['tsc', '-p', '.'],
    ['tsc', '-p', 'guest'],
    ['vitest', 'run', ...vitestArguments],
  ];
}

export function configure(command: Command): void {
  command
    .argument('[arguments...]', 'passed to vitest: file names, -t NAME, -u')
    .allowUnknownOption()
    .passThroughOptions()
    .action(test);
}

async function test(vitestArguments: string[]): Promise<void> {
  ensureTools(
    TOOLS.map((tool) => tool.name),
    say,
  );
  try {
    await obtainModel(DEFAULT_MODEL);
  } catch (error) {
    say(`mu test: the tests of ${DEFAULT_MODEL} will be skipped: ${(error as Error).message}`);
  }
  // Once, with progress: else the first test that boots a Linux would build it within its time.
  const progress = createProgress();
  const onProgress = (done: number, total: number, what: string) =>
    progress.update(done, total, what, String);
  await buildBusybox(onProgress);
  for (const kernel of KERNEL_NAMES) await buildKernel(kernel, { onProgress });
  progress.end();
  for (const [command, ...args] of steps(vitestArguments)) {
    say(`mu test: ${[command, ...args].join(' ')}`);
    const program = join(PROJECT_ROOT, 'node_modules/.bin', command);
    const run = spawnSync(program, args, { cwd: PROJECT_ROOT, stdio: 'inherit' });
    if (run.status !== 0) {
      process.exitCode = EXIT_FAILURE;
      // vitest's own last line, `N passed, N failed, N skipped`, stays the last one.
      if (command !== 'vitest') say(`mu test: ${command} failed`);
    }
  }
}
