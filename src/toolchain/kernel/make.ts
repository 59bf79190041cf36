/** Runs the kernel's make: progress by its lines, a log, its whole process group ended with us. */
import { createWriteStream } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { type Child, startChild } from '../children.ts';
import { requireTool } from '../find.ts';

export interface MakeRun {
  /** null: it was killed. */
  code: number | null;
  /** The end of what it wrote, for a person. */
  lastLines: string;
}

export interface MakeOptions {
  source: string;
  tree: string;
  /** Targets, and variables as NAME=VALUE. */
  targets: readonly string[];
  /** File that takes all that make writes. */
  log: string;
  /** Called with each line that make writes. */
  onLine?: (line: string) => void;
}

/**
 * What would go into the kernel's banner: the same source gives the same bytes on every machine and
 * day.
 */
export const EVERY_BUILD: readonly string[] = [
  'KBUILD_BUILD_TIMESTAMP=1970-01-01',
  'KBUILD_BUILD_VERSION=1',
  'KBUILD_BUILD_USER=mu',
  'KBUILD_BUILD_HOST=mu',
];

export async function runMake(options: MakeOptions): Promise<MakeRun> {
  const { source, tree, targets, log, onLine } = options;
  // Nothing of the caller's environment but where programs are: KCFLAGS and friends change a
  // kernel.
  const environment = ['-i', `PATH=${process.env.PATH}`, 'LC_ALL=C'];
  const [make] = requireTool('make');
  const [gcc] = requireTool('gcc');
  const child = startChild('env', [
    ...environment,
    ...[make, '-C', source, `O=${tree}`, `-j${availableParallelism()}`, '--no-print-directory'],
    ...[`CC=${gcc}`, `HOSTCC=${gcc}`, ...EVERY_BUILD, ...targets],
  ]);
  return finish(child, log, onLine);
}

const KEPT_LINES = 25;

/** Waits for a program's end; both of its outputs go into one log. */
export async function finish(
  child: Child,
  log?: string,
  onLine?: (line: string) => void,
): Promise<MakeRun> {
  child.stdin.end();
  const file = log ? createWriteStream(log, { flags: 'a' }) : undefined;
  const last: string[] = [];
  const take = (line: string) => {
    file?.write(`${line}\n`);
    last.push(line);
    if (last.length > KEPT_LINES) last.shift();
    onLine?.(line);
  };
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on('line', take);
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (file) await new Promise((resolve) => file.end(resolve));
  return { code, lastLines: last.map((line) => `  ${line}`).join('\n') };
}
