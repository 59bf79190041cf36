/**
 * Linux, built for one purpose: Debian's source as it comes, `allnoconfig` and our fragments, gcc.
 * docs/linux.md says what is in, what is out and what each piece costs.
 */
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { countKernelLines } from '../lines/kernel.ts';
import {
  DEFAULT_TARGET,
  type TargetArchitecture,
  type TargetName,
  targetNamed,
} from './architectures.ts';
import { cached, cacheFolder, hashFile, hashOf, PROJECT_ROOT } from './cache.ts';
import { findTool, requireTool } from './find.ts';
import {
  FRAGMENT_FOLDER,
  formatWishes,
  type KernelName,
  parseLeftOut,
  readFragments,
  unfulfilled,
  type Wish,
} from './kernel/configuration.ts';
import { EVERY_BUILD, runMake } from './kernel/make.ts';
import { type KernelSource, unpackSource } from './kernel/source.ts';
import { withTree } from './kernel/tree.ts';
import type { ToolName } from './tools.ts';

export { KERNEL_NAMES, type KernelName } from './kernel/configuration.ts';

/** What building a kernel needs: for ensureTools. */
export const KERNEL_TOOLS: readonly ToolName[] = [
  ...(['gcc', 'libelf', 'make', 'flex', 'bison', 'bc', 'xz', 'linux-source'] as const),
];

/** Paths of files in the cache. */
export interface BuiltKernel {
  /** For loaders that know Linux's boot protocol; as it is, an EFI application. */
  bzImage: string;
  /** Stripped ELF with a PVH note. */
  vmlinux: string;
  config: string;
  systemMap: string;
  /** `6.1.192` */
  release: string;
  /** KernelLines (src/lines/kernel.ts) as JSON. */
  lines: string;
  wasCached: boolean;
}

export interface KernelOptions {
  /** Default: x86_64. */
  architecture?: TargetName;
  /** Path of a cpio archive to build in. */
  initramfs?: string;
  /** done, total: lines of make's output, total estimated. */
  onProgress?: (done: number, total: number, what: string) => void;
}

/** About how many lines make writes for each kernel. */
const STEPS: Record<KernelName, number> = { linux: 1370, 'linux-usb': 1480, diet: 1060 };

/**
 * Make's variables on top of the configuration. `-Os` alone writes memset and memcpy out as
 * `rep stosb` and `rep movsb`, which an emulator executes byte by byte: a third of the time to
 * start.
 */
function variables(name: KernelName, { arch }: TargetArchitecture['linux']): string[] {
  const all = [`ARCH=${arch}`, 'KCFLAGS=-mstringop-strategy=libcall'];
  if (name !== 'diet') return all;
  return [
    ...all,
    `KBUILD_KCONFIG=${DIET_KCONFIG}`, // copied into the tree: make takes no path with a space
    // The stub without EFI lacks one definition, which is true of every 64-bit kernel.
    "KCPPFLAGS=-D'efi_is_64bit()=1'",
    // PVH without HYPERVISOR_GUEST lacks one header.
    'CFLAGS_enlighten.o=-include asm/xen/hypervisor.h',
    // What Kbuild makes of a folder's lists of objects (scripts/Makefile.lib), without some.
    `real-obj-y=$(filter-out ${leftOut().join(' ')},${OBJECTS})`,
  ];
}

const OBJECTS = '$(addprefix $(filter-out ./,$(obj)/),$(call real-search,$(obj-y),.o,-objs -y))';

function leftOut(): string[] {
  return parseLeftOut(readFileSync(LEFT_OUT, 'utf8'), 'leftOut.diet');
}

const LEFT_OUT = join(FRAGMENT_FOLDER, 'leftOut.diet');
const DIET_KCONFIG = 'Kconfig.diet';

export async function buildKernel(
  name: KernelName,
  options: KernelOptions = {},
): Promise<BuiltKernel> {
  const { architecture = DEFAULT_TARGET, initramfs, onProgress = () => {} } = options;
  const { linux } = targetNamed(architecture);
  for (const tool of KERNEL_TOOLS) requireTool(tool);
  const source = await unpackSource((what) => onProgress(0, STEPS[name], what));
  const wishes = readFragments(name);
  // All that make is given; not our code that gives it, most of which makes no difference to a
  // kernel.
  const given = [...EVERY_BUILD, ...variables(name, linux), ...CONFIGURE, ...COMPILE];
  const kconfig = readFileSync(join(FRAGMENT_FOLDER, DIET_KCONFIG), 'utf8');
  const treeKey = hashOf([
    ...[formatWishes(wishes), source, findTool('gcc').version, given],
    name === 'diet' ? kconfig : null,
  ]);
  const counting = readFileSync(join(PROJECT_ROOT, 'src/lines/kernel.ts'), 'utf8');
  const builtIn = initramfs ? [BUILT_IN, await hashFile(initramfs)] : null;
  const key = hashOf([treeKey, resultsOf(linux), counting, builtIn]);
  const { folder, wasCached } = await cached(join('kernel', name), key, (folder) =>
    withTree(
      name,
      treeKey,
      () => onProgress(0, STEPS[name], 'waiting for another process, which builds the same'),
      (tree) => build({ name, linux, source, wishes, initramfs, tree, folder, onProgress }),
    ),
  );
  return {
    bzImage: join(folder, 'bzImage'),
    vmlinux: join(folder, 'vmlinux'),
    config: join(folder, 'config'),
    systemMap: join(folder, 'System.map'),
    lines: join(folder, 'lines.json'),
    release: readFileSync(join(folder, 'release'), 'utf8').trim(),
    wasCached,
  };
}

/** What the kernel must be told on its command line, on any machine. */
export function kernelCommandLine(name: KernelName): string {
  // The console belongs to the engine: of `diet` only a panic is heard, of `linux` also how the
  // machine ends.
  if (name === 'diet') return 'console=ttyS0 loglevel=0';
  // A kernel that knows tmpfs makes it the root, which then holds half of the memory at most: too
  // little for a model.
  return 'console=ttyS0 loglevel=1 rootfstype=ramfs';
}

/**
 * What is true of QEMU only: its timer works and needs no second one to be measured against, and
 * its devices need no delays, so that the length of a loop need not be measured either (lpj).
 */
export const QEMU_COMMAND_LINE = 'no_timer_check nolapic_timer lpj=4000000';

interface Build {
  name: KernelName;
  linux: TargetArchitecture['linux'];
  source: KernelSource;
  wishes: readonly Wish[];
  initramfs?: string;
  tree: string;
  folder: string;
  onProgress: NonNullable<KernelOptions['onProgress']>;
}

const CONFIGURE = ['KCONFIG_ALLCONFIG=wishes', 'allnoconfig'];
const COMPILE = ['bzImage', 'vmlinux'];

/** Name in the cache → file of the tree. Results are copies: the tree goes on to the next build. */
function resultsOf({ image, elf }: TargetArchitecture['linux']): Record<string, string> {
  return {
    ...{ bzImage: image, vmlinux: elf, config: '.config', 'System.map': 'System.map' },
    release: 'include/config/kernel.release',
  };
}

async function build({ name, linux, source, wishes, initramfs, tree, folder, onProgress }: Build) {
  const log = join(cacheFolder('failed'), `kernel-${name}.log`);
  writeFileSync(log, '');
  const make = async (targets: readonly string[], onLine?: (line: string) => void) => {
    const all = [...variables(name, linux), ...targets];
    const run = await runMake({ source: source.folder, tree, targets: all, log, onLine });
    if (run.code === 0) return;
    const end = run.code === null ? 'was killed' : `failed (exit code ${run.code})`;
    throw new Error(
      `kernel ${name}: make ${targets.join(' ')} ${end}\n${run.lastLines}\n  the whole log: ${log}`,
    );
  };
  // A copy is newer than what was linked last: make sees that.
  if (initramfs) copyFileSync(initramfs, join(tree, INITRAMFS));
  const kconfig = join(tree, DIET_KCONFIG);
  if (!existsSync(kconfig)) copyFileSync(join(FRAGMENT_FOLDER, DIET_KCONFIG), kconfig);
  const all = initramfs ? [...wishes, BUILT_IN] : wishes;
  writeFileSync(join(tree, 'wishes'), formatWishes(all));
  await make(CONFIGURE);
  const dropped = unfulfilled(all, readFileSync(join(tree, '.config'), 'utf8'));
  if (dropped.length > 0) throw new Error(droppedMessage(name, dropped));

  let done = 0;
  const total = STEPS[name];
  await make(COMPILE, (line) => {
    const what = /^ {2}[A-Z]\w* +(\S+)$/.exec(line)?.[1];
    if (what) onProgress(Math.min(++done, total - 1), total, `kernel ${name}`);
  });
  if (name === 'diet') checkLeftOut(source.folder, tree);
  for (const [result, file] of Object.entries(resultsOf(linux))) {
    copyFileSync(join(tree, file), join(folder, result));
  }
  const lines = countKernelLines(tree);
  writeFileSync(join(folder, 'lines.json'), `${JSON.stringify(lines, null, 2)}\n`);
  onProgress(total, total, `kernel ${name}`);
}

/** By a name in the tree, so that the configuration holds nobody's path. */
const INITRAMFS = 'initramfs.cpio';
const BUILT_IN: Wish = {
  option: 'INITRAMFS_SOURCE',
  value: `"${INITRAMFS}"`,
  fragment: 'initramfs',
};

function droppedMessage(name: KernelName, dropped: readonly string[]): string {
  return (
    `kernel ${name}: Kconfig did not do what our fragments (guest/linux/kernel) ask for; ` +
    `a dependency is missing, or another option selects the opposite:\n  ${dropped.join('\n  ')}`
  );
}

/**
 * A file that Linux no longer has, or lists in another way, would stand in our list for nothing.
 */
function checkLeftOut(source: string, tree: string): void {
  for (const object of leftOut()) {
    const problem = !existsSync(join(source, object.replace(/o$/, 'c')))
      ? 'Linux has no such file'
      : existsSync(join(tree, object)) && 'it was compiled all the same';
    if (problem) throw new Error(`leftOut.diet (guest/linux/kernel): ${object}: ${problem}`);
  }
}
