/** How many lines a stack consists of, layer by layer, from what was compiled. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CompileOutput, Constants } from '../compiler/index.ts';
import {
  countByLayer,
  countFolder,
  countLines,
  followImports,
  type LineCount,
} from '../lines/count.ts';
import type { KernelLines } from '../lines/kernel.ts';
import { countMuslLines } from '../lines/musl.ts';
import { countReached } from '../lines/reached.ts';
import type { StackName } from '../stacks/manifest.ts';
import { DEFAULT_TARGET, type GuestMachine, targetNamed } from '../toolchain/architectures.ts';
import { buildBusybox } from '../toolchain/busybox.ts';
import { cached, hashOf, PROJECT_ROOT } from '../toolchain/cache.ts';
import { startChild } from '../toolchain/children.ts';
import { fetchDebianSource } from '../toolchain/debianSource.ts';
import { requireTool } from '../toolchain/find.ts';
import { archModules, guestFiles, guestToC, initToC } from '../toolchain/guest.ts';
import { finish } from '../toolchain/kernel/make.ts';
import { buildKernel, type KernelName } from '../toolchain/kernel.ts';

/** One layer. `files` and `all` are null where only the number of code lines is known. */
export interface LayerLines {
  layer: string;
  code: number;
  all: number | null;
  files: number | null;
  /** What was counted, or whose figure it is. */
  counted: string;
  /** Of the guest, for a named model: code lines of the declarations that its program holds. */
  reached?: number;
}

export interface StackLines {
  stack: StackName;
  layers: LayerLines[];
  /** The layers that are the guest, added up. */
  guest: { code: number; reached?: number };
  /** Lines of C that the guest becomes for a named model: in no sum. */
  generatedC?: number;
  /** Code lines of all layers. */
  total: number;
  /** Most code lines that the stack may have in all. */
  budget: number;
}

const BUDGETS: Record<StackName, number> = {
  linux: 1_300_000,
  diet: 500_000,
  unikernel: 100_000,
  metal: 10_000, // which it does not keep
};

/** The machine that the engine is compiled for. */
export const MACHINES: Record<StackName, GuestMachine> = {
  ...{ linux: 'process', diet: 'process', unikernel: 'pc', metal: 'uefi' },
};

type OnProgress = (done: number, total: number, what: string) => void;

/**
 * Counts a stack; builds what it must build for that, or takes it from the cache. constants: those
 * of a pack, to count what the guest holds for that model too.
 */
export async function countStack(
  stack: StackName,
  onProgress: OnProgress = () => {},
  constants?: Constants,
): Promise<StackLines> {
  const programs = constants && (await compilePrograms(stack, constants));
  const guest = guestLayers(stack, programs);
  const layers = [
    ...guest,
    ...(stack === 'linux' ? [await busyboxLayer(onProgress), await muslLayer(onProgress)] : []),
    ...(stack === 'linux' || stack === 'diet' ? [await kernelLayer(stack, onProgress)] : []),
    ...(stack === 'linux' ? [LIMINE] : []),
    compilerLayer(),
  ];
  const total = layers.reduce((sum, { code }) => sum + code, 0);
  const texts = programs?.flatMap(({ c, units }) => [c, ...Object.values(units)]);
  return {
    ...{ stack, layers, total, budget: BUDGETS[stack] },
    guest: {
      code: guest.reduce((sum, { code }) => sum + code, 0),
      reached: programs && guest.reduce((sum, { reached = 0 }) => sum + reached, 0),
    },
    generatedC: texts?.reduce((sum, text) => sum + countLines(text).code, 0),
  };
}

/** The stack's programs as the compiler has them: the engine, and init. */
function compilePrograms(stack: StackName, constants: Constants): Promise<CompileOutput[]> {
  const engine = guestToC({ machine: MACHINES[stack], app: 'chat', constants });
  return Promise.all([engine, ...(stack === 'linux' ? [initToC()] : [])]);
}

/** The guest's TypeScript, by folder; what init shares with the engine's machine counts once. */
function guestLayers(stack: StackName, programs?: readonly CompileOutput[]): LayerLines[] {
  const guest = join(PROJECT_ROOT, 'guest');
  const declarations = programs?.flatMap(({ reached }) => reached);
  const reached = declarations && countReached(declarations, PROJECT_ROOT);
  const init = stack === 'linux' ? followImports(join(guest, 'linux/init.ts'), archModules()) : [];
  const files = new Set([...guestFiles(MACHINES[stack], 'chat'), ...init]);
  return [...countByLayer([...files], guest)].map(([folder, count]) => {
    const name = `guest/${folder}`;
    const whole = layer(name, count, 'TypeScript that the guest imports');
    return reached ? { ...whole, reached: reached.get(name) ?? 0 } : whole;
  });
}

function compilerLayer(): LayerLines {
  const count = countFolder(join(PROJECT_ROOT, 'src/compiler'));
  return layer('our compiler (on the host)', count, 'src/compiler');
}

async function kernelLayer(name: KernelName, onProgress: OnProgress): Promise<LayerLines> {
  const { lines, release } = await buildKernel(name, { onProgress });
  return layer(`Linux ${release}`, totalOf(lines), 'every .c, .S and .h that the compiler read');
}

async function busyboxLayer(onProgress: OnProgress): Promise<LayerLines> {
  const { lines } = await buildBusybox(onProgress);
  return layer('BusyBox', totalOf(lines), 'every .c and .h that the compiler read');
}

/** path: KernelLines as JSON */
function totalOf(path: string): LineCount {
  const { total }: KernelLines = JSON.parse(readFileSync(path, 'utf8'));
  return { code: total.code, all: total.raw, files: total.files };
}

/**
 * Debian has musl as a library: its lines are those of the source package that the library was
 * built from.
 */
async function muslLayer(onProgress: OnProgress): Promise<LayerLines> {
  requireTool('dpkg-source');
  const { dsc, version } = await fetchDebianSource('musl', (what) => onProgress(0, 1, what));
  const unpack = async (folder: string) => {
    const unpacked = join(folder, 'musl');
    const run = await finish(startChild('dpkg-source', ['--no-check', '-x', dsc, unpacked]));
    if (run.code !== 0) throw new Error(`dpkg-source -x ${dsc} failed\n${run.lastLines}`);
  };
  const placing = { hasPlainPath: true };
  const { folder } = await cached('musl-source', hashOf([dsc]), unpack, placing);
  const { code, raw, files } = countMuslLines(join(folder, 'musl'), DEFAULT_TARGET);
  const { title } = targetNamed(DEFAULT_TARGET);
  const counted = `what its Makefile compiles for ${title}, and the headers`;
  return layer(`musl ${version}`, { code, all: raw, files }, counted);
}

/** Limine comes as a binary. Its source tree was counted once, in 2026, for this project. */
const LIMINE: LayerLines = {
  layer: 'Limine 8',
  code: 23_305,
  all: null,
  files: null,
  counted: 'quoted: its whole source tree; we have its binary release only',
};

function layer(name: string, { code, all, files }: LineCount, counted: string): LayerLines {
  return { layer: name, code, all, files, counted };
}
