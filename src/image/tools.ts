/** The programs that write images: xorriso, mtools, GRUB's. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withPlace } from '../toolchain/cache.ts';
import { ToolchainError } from '../toolchain/clang.ts';

/** No image takes longer, not even one with a model of gigabytes. */
const LIMIT_MILLISECONDS = 300_000;

/** 2020-01-01 00:00:00 UTC: FAT knows nothing before 1980. */
const FIXED_DATE = 1_577_836_800;

/**
 * Every date in an image, in seconds since 1970: $SOURCE_DATE_EPOCH (reproducible-builds.org), else
 * a fixed one, so that the same input gives the same bytes.
 */
export function imageDate(): number {
  const text = process.env.SOURCE_DATE_EPOCH;
  if (text === undefined || text === '') return FIXED_DATE;
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= 315_532_800 && seconds < 2 ** 32) return seconds;
  throw new Error(
    `SOURCE_DATE_EPOCH is ${text}: expected whole seconds since 1970, from 315532800 (1980, where FAT's dates begin)`,
  );
}

/** Runs something with a folder of its own, which is gone afterwards. */
export function inTemporaryFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'mu-image-'));
  try {
    return use(folder);
  } catch (error) {
    throw withPlace(error, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Runs one of them to its end, with the image's date as its clock; gives its standard output.
 * folder: where it runs.
 */
export function runImageTool(command: readonly string[], folder?: string): string {
  const [program, ...args] = command;
  const env = {
    ...process.env,
    SOURCE_DATE_EPOCH: String(imageDate()),
    TZ: 'UTC',
    LC_ALL: 'C',
    MTOOLS_SKIP_CHECK: '1',
    MTOOLSRC: '/dev/null',
  };
  const run = spawnSync(program, args, {
    env,
    cwd: folder,
    encoding: 'utf8',
    timeout: LIMIT_MILLISECONDS,
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 26,
  });
  if (run.error) throw new Error(`${program}: ${run.error.message}`);
  if (run.status !== 0) throw new ToolchainError(program, command, run.status, run.stderr);
  return run.stdout;
}
