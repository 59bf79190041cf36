/**
 * Linux keeps a file in pages as large as the pieces that it was written or read in, and a process
 * that maps it gets those. A pack is written in large pieces, and who maps it has it read in pages
 * of 2 MiB; but other readers and times of short memory leave small pages behind, which cost up to
 * a third of the speed (docs/performance.md).
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';

const LARGE_PAGE = 2048; // KiB

/** A smaller share of large pages is worth reading the file again. */
export const LARGE_ENOUGH = 0.95;

/**
 * The part of a mapped file, 0 … 1, that a process has in pages of 2 MiB, of what could be:
 * proc_pid_smaps(5), FilePmdMapped. Undefined where Linux does not say, or for a file that is
 * smaller than such a page.
 */
export function largePageShare(pid: number, path: string): number | undefined {
  const fields = readMapping(pid, path);
  const kibibytes = (name: string) =>
    Number(fields.find((line) => line.startsWith(`${name}:`))?.match(/\d+/)?.[0]);
  const possible = Math.floor(kibibytes('Size') / LARGE_PAGE) * LARGE_PAGE;
  const share = kibibytes('FilePmdMapped') / possible;
  return possible > 0 && share >= 0 ? share : undefined;
}

/**
 * The lines of smaps after the head of the file's first mapping; none if it has none, has ended, or
 * is not ours to look at.
 */
function readMapping(pid: number, path: string): string[] {
  try {
    const real = realpathSync(path).replaceAll('\n', '\\012'); // as Linux names it there
    const lines = readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n');
    const head = lines.findIndex((line) => line.endsWith(` ${real}`));
    return head < 0 ? [] : lines.slice(head + 1);
  } catch {
    return [];
  }
}

/**
 * Has Linux forget what it keeps of a file that nobody maps. What cannot be done is left: the file
 * is slower, not wrong.
 */
export function forgetPages(path: string): void {
  // posix_fadvise(2), which Node does not have; dd is everywhere (coreutils).
  spawnSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' });
}
