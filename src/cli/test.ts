import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { buildBusybox } from '../toolchain/busybox.ts';
import { cacheFolder, PROJECT_ROOT } from '../toolchain/cache.ts';
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
    .option('--all', 'all tests; without it a sample (tests/sample.ts), which takes a third')
    .argument('[arguments...]', 'passed to vitest: file names, -t NAME')
    .allowUnknownOption()
    .passThroughOptions()
    .action((words: string[], { all }: { all?: boolean }) =>
      test(
        words.filter((word) => word !== '--all'),
        all === true || words.includes('--all'),
      ),
    );
}

async function test(vitestArguments: string[], all: boolean): Promise<void> {
  const parts = vitestArguments.filter((word) => existsSync(join(PROJECT_ROOT, word)));
  const seconds = join(cacheFolder('tests'), all ? 'seconds-all.json' : 'seconds.json');
  say(`mu test: ${estimate(seconds, parts, all)}`);
  ensureTools(
    TOOLS.map((tool) => tool.name),
    say,
  );
  if (parts.length === 0) await setUp(all);
  const env = { ...process.env, MU_TEST_ALL: all ? '1' : '', MU_TEST_SECONDS: seconds };
  for (const [command, ...args] of steps(vitestArguments)) {
    say(`mu test: ${[command, ...args].join(' ')}`);
    const program = join(PROJECT_ROOT, 'node_modules/.bin', command);
    const run = spawnSync(program, args, { cwd: PROJECT_ROOT, stdio: 'inherit', env });
    if (run.status !== 0) {
      process.exitCode = EXIT_FAILURE;
      // vitest's own last line, `N passed, N failed, N skipped`, stays the last one.
      if (command !== 'vitest') say(`mu test: ${command} failed`);
    }
  }
}

/**
 * What several tests need. Once, with progress: else the first that boots a Linux builds it within
 * its own time.
 */
async function setUp(all: boolean): Promise<void> {
  try {
    await obtainModel(DEFAULT_MODEL);
  } catch (error) {
    say(`mu test: the tests of ${DEFAULT_MODEL} will be skipped: ${(error as Error).message}`);
  }
  const progress = createProgress();
  const onProgress = (done: number, total: number, what: string) =>
    progress.update(done, total, what, String);
  await buildBusybox(onProgress);
  for (const kernel of kernelsFor(all)) await buildKernel(kernel, { onProgress });
  progress.end();
}

/** `linux-usb` is for one test of a keyboard, which only `--all` runs. */
function kernelsFor(all: boolean) {
  return KERNEL_NAMES.filter((name) => all || name !== 'linux-usb');
}

/** vitest.config.ts: maxWorkers */
const WORKERS = 2;
/** Minutes on two cores where no run has left its times yet, and what building one kernel adds. */
const [SAMPLE_MINUTES, ALL_MINUTES, KERNEL_MINUTES] = [12, 35, 4];

/**
 * About how long it will take. seconds: file that holds how long each test file took the last time
 * (tests/house/progress.ts).
 */
function estimate(seconds: string, parts: readonly string[], all: boolean): string {
  const which = all ? 'all tests' : 'a sample of the tests (mu test --all runs all)';
  const kernels = kernelsFor(all).filter((name) => !existsSync(join(cacheFolder('kernel'), name)));
  const building = parts.length > 0 ? 0 : kernels.length;
  const extra = building > 0 ? `, and ${building * KERNEL_MINUTES} for ${building} kernels` : '';
  if (!existsSync(seconds)) {
    const minutes = all ? ALL_MINUTES : SAMPLE_MINUTES;
    return `${which}: about ${minutes} minutes on two cores${extra} (no run here to go by)`;
  }
  const times = Object.entries(JSON.parse(readFileSync(seconds, 'utf8')) as Record<string, number>)
    .filter(([file]) => parts.length === 0 || parts.some((part) => file.startsWith(part)))
    .map(([, time]) => time);
  const sum = times.reduce((total, time) => total + time, 0);
  const minutes = Math.max(sum / WORKERS, ...times) / 60;
  return `${which}: about ${Math.max(minutes, 0.1).toFixed(1)} minutes${extra}, by the last run here`;
}
