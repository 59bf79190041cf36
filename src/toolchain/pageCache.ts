/**
 * Linux keeps a file in pages as large as the pieces that it was written or read in, and a process that maps it gets those. A pack is
 * written in large pieces, and who maps it has it read in pages of 2 MiB; but other readers and times of short memory leave small
 * pages behind, which cost up to a third of the speed (docs/performance.md).
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const LARGE_PAGE = 2048; // KiB

/** A smaller share of large pages is worth reading the file again. */
export const LARGE_ENOUGH = 0.95;

/**
 * The part of a mapped file, 0 … 1, that a process has in pages of 2 MiB, of what could be: proc_pid_smaps(5), FilePmdMapped.
 * Undefined where Linux does not say, or for a file that is too small.
 */
export function largePageShare(pid: number, path: string): number | undefined {
  let maps: string;
  try {
    maps = readFileSync(`/proc/${pid}/smaps`, 'utf8');
  } catch {
    return undefined; // it has ended, or is not ours to look at
  }
  const lines = maps.split('\n');
  const fields = lines.slice(lines.findIndex((line) => line.endsWith(` ${path}`)) + 1);
  const kibibytes = (name: string) =>
    Number(fields.find((line) => line.startsWith(`${name}:`))?.match(/\d+/)?.[0]);
  const possible = Math.floor(kibibytes('Size') / LARGE_PAGE) * LARGE_PAGE;
  const share = kibibytes('FilePmdMapped') / possible;
  return fields.length < lines.length && possible > 0 && !Number.isNaN(share) ? share : undefined;
}

/** Has Linux forget what it keeps of a file that nobody maps. What cannot be done is left: the file is slower, not wrong. */
export function forgetPages(path: string): void {
  // posix_fadvise(2), which Node does not have; dd is everywhere (coreutils).
  spawnSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' });
}
