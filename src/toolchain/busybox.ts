/**
 * BusyBox as one static program: Debian's source as it comes, musl, and our list of applets
 * (guest/linux/busybox.config).
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { countBusyboxLines } from '../lines/busybox.ts';
import { cached, hashOf, PROJECT_ROOT } from './cache.ts';
import { startChild } from './children.ts';
import { type DebianSource, fetchDebianSource } from './debianSource.ts';
import { findTool, requireTool } from './find.ts';
import { parseFragment, unfulfilled, type Wish } from './kernel/configuration.ts';
import { finish } from './kernel/make.ts';
import type { ToolName } from './tools.ts';

/** What building it needs: for ensureTools. */
export const BUSYBOX_TOOLS: readonly ToolName[] = ['make', 'musl-gcc', 'dpkg-source'];

/** Paths of files in the cache. */
export interface BuiltBusybox {
  program: string;
  /** The names that it goes by: `sh`, `ls`, … */
  applets: string[];
  /** Debian's version of the source. */
  version: string;
  /** KernelLines (src/lines/kernel.ts) as JSON. */
  lines: string;
  wasCached: boolean;
}

type OnProgress = (done: number, total: number, what: string) => void;

/** Finds musl's headers and library, and nothing of the machine's own. */
const COMPILER = 'musl-gcc';
const CONFIGURATION = 'guest/linux/busybox.config';
/** About how many files are compiled. */
const STEPS = 210;

export async function buildBusybox(onProgress: OnProgress = () => {}): Promise<BuiltBusybox> {
  for (const tool of BUSYBOX_TOOLS) requireTool(tool);
  const source = await fetchDebianSource('busybox', (what) => onProgress(0, STEPS, what));
  const wishes = parseFragment(
    readFileSync(join(PROJECT_ROOT, CONFIGURATION), 'utf8'),
    CONFIGURATION,
  );
  const key = hashOf([
    ...[source.version, wishes, findTool('musl-gcc').version],
    readFileSync(join(PROJECT_ROOT, 'src/toolchain/busybox.ts'), 'utf8'),
  ]);
  const make = (folder: string) => build({ source, wishes, folder, onProgress });
  const { folder, wasCached } = await cached('busybox', key, make, { hasPlainPath: true });
  const applets = readFileSync(join(folder, 'applets'), 'utf8').trim().split('\n');
  const version = source.version;
  const [program, lines] = [join(folder, 'busybox'), join(folder, 'lines.json')];
  return { program, applets, version, lines, wasCached };
}

interface Build {
  source: DebianSource;
  wishes: readonly Wish[];
  folder: string;
  onProgress: OnProgress;
}

async function build({ source, wishes, folder, onProgress }: Build): Promise<void> {
  const work = join(folder, 'work');
  const tree = join(work, 'busybox');
  mkdirSync(work);
  onProgress(0, STEPS, 'unpacking BusyBox’s source');
  await run('dpkg-source', ['--extract', source.dsc, tree]);
  // Its allnoconfig takes no wishes. So all is switched on, which names it, and off but for ours.
  await make(tree, ['allyesconfig']);
  const configuration = join(tree, '.config');
  writeFileSync(configuration, onlyWishes(readFileSync(configuration, 'utf8'), wishes));
  await make(tree, ['oldconfig']);
  const dropped = unfulfilled(wishes, readFileSync(configuration, 'utf8'));
  if (dropped.length > 0) {
    throw new Error(
      `BusyBox's configuration did not do what ours asks for:\n  ${dropped.join('\n  ')}`,
    );
  }
  let done = 0;
  await make(tree, ['busybox'], (line) => {
    if (line.startsWith('  CC ')) onProgress(Math.min(++done, STEPS - 1), STEPS, 'BusyBox');
  });
  const program = join(folder, 'busybox');
  copyFileSync(join(tree, 'busybox'), program);
  writeFileSync(join(folder, 'applets'), appletsOf(program));
  const lines = countBusyboxLines(tree, COMPILER);
  writeFileSync(join(folder, 'lines.json'), `${JSON.stringify(lines, null, 2)}\n`);
  rmSync(work, { recursive: true });
  onProgress(STEPS, STEPS, 'BusyBox');
}

/**
 * A .config whose switches are all off but for the wishes; numbers and texts keep their defaults.
 */
export function onlyWishes(config: string, wishes: readonly Wish[]): string {
  const wanted = new Map(wishes.map(({ option, value }) => [option, value]));
  return config.replace(/^(?:# )?CONFIG_(\w+)(?:=| is not set)(.*)$/gm, (line, option, value) => {
    if (wanted.has(option)) return `CONFIG_${option}=${wanted.get(option)}`;
    return value === 'y' ? `# CONFIG_${option} is not set` : line;
  });
}

/**
 * The build writes no time into the program, and takes nothing from the caller's environment but
 * where programs are.
 */
async function make(tree: string, targets: string[], onLine?: (line: string) => void) {
  await run(
    'env',
    [
      ...['-i', `PATH=${process.env.PATH}`, 'LC_ALL=C', ...requireTool('make'), '-C', tree],
      ...[`-j${availableParallelism()}`, `CC=${COMPILER}`, 'KCONFIG_NOTIMESTAMP=1', ...targets],
    ],
    onLine,
  );
}

async function run(command: string, args: string[], onLine?: (line: string) => void) {
  const { code, lastLines } = await finish(startChild(command, args), undefined, onLine);
  if (code === 0) return;
  const end = code === null ? 'was killed' : `failed (exit code ${code})`;
  throw new Error(`BusyBox: ${command} ${args.join(' ')} ${end}\n${lastLines}`);
}

/** It says so itself: one name per line. */
function appletsOf(program: string): string {
  const list = spawnSync(program, ['--list'], { encoding: 'utf8', timeout: 10_000 });
  if (list.status !== 0)
    throw new Error(`BusyBox does not run: ${list.error?.message ?? list.stderr}`);
  return list.stdout.replace(/^busybox\n/m, '');
}
