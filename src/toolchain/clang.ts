import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from './cache.ts';
import { findTool, requireTool } from './find.ts';

/**
 * What every guest's C is compiled with. Freestanding, no libc; integers wrap, pointers of any type
 * may alias, and no float expression is contracted or reordered: docs/language.md promises these.
 */
export const GUEST_FLAGS: readonly string[] = [
  '-std=gnu11',
  '-O2',
  '-g',
  '-ffreestanding',
  '-nostdlib',
  '-fwrapv',
  '-fno-strict-aliasing',
  '-fno-delete-null-pointer-checks', // address zero is an address: it faults, it is not undefined
  '-ffp-contract=off',
  '-fno-math-errno',
  '-fno-finite-loops',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
  '-fno-pic',
  '-fno-pie',
  '-Wall',
  '-Wno-unused',
  '-Wno-ignored-attributes',
];

export const GUEST_MACHINES = ['process', 'pc', 'uefi'] as const;
export type GuestMachine = (typeof GUEST_MACHINES)[number];

/**
 * What one machine adds. Interrupts share the stack on `pc` and `uefi`, so it can have no red zone. `pc` is linked in the top 2 GiB. Firmware loads an application wherever
 * there is room; all of it is one file, so no symbol is anybody else's.
 */
export const MACHINE_FLAGS: Record<GuestMachine, readonly string[]> = {
  process: [],
  pc: ['-mno-red-zone', '-mcmodel=kernel'],
  uefi: ['-mno-red-zone', '-fpie', '-fdirect-access-external-data'],
};

/** What every level needs of the CPU: x86-64-v3, by its names in /proc/cpuinfo that are not implied by others. */
const V3_FLAGS = ['avx2', 'bmi2', 'fma', 'movbe', 'f16c'] as const;
const AVX512_FLAGS = ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl', 'avx512_vnni'];

export interface CpuLevelFacts {
  /** clang's arguments */
  march: readonly string[];
  /** flags in /proc/cpuinfo that must all be there */
  needs: readonly string[];
}

/**
 * CPU levels that a unit is compiled for, lowest first. `portable` has the reference's kernels, which
 * an emulator runs best. Preferring 512-bit registers matters: x86-64-v4 alone tunes for CPUs that slow down with
 * them, and would split every 64-byte vector.
 */
export const CPU_LEVELS = {
  portable: {
    march: ['-march=x86-64-v3'],
    needs: V3_FLAGS,
  },
  avx2: { march: ['-march=x86-64-v3'], needs: V3_FLAGS },
  avxvnni: {
    march: ['-march=x86-64-v3', '-mavxvnni'],
    needs: [...V3_FLAGS, 'avx_vnni'],
  },
  avx512vnni: {
    march: ['-march=x86-64-v4', '-mavx512vnni', '-mprefer-vector-width=512'],
    needs: [...V3_FLAGS, ...AVX512_FLAGS],
  },
} as const satisfies Record<string, CpuLevelFacts>;
export type CpuLevel = keyof typeof CPU_LEVELS;
export const CPU_LEVEL_NAMES = Object.keys(CPU_LEVELS) as CpuLevel[];

/** What the main unit of a program is compiled for unless one level is asked for: all that the program runs on. */
export const BASE_LEVEL: CpuLevel = 'portable';
/** Further units: the program takes the last that the CPU has (guest/engine/forward.ts). */
export const FURTHER_LEVELS = ['avx2', 'avxvnni', 'avx512vnni'] as const satisfies CpuLevel[];

/** clang's arguments from one C file to one object file. */
export function compileArguments(
  machine: GuestMachine,
  cpu: CpuLevel,
  source: string,
  object: string,
): string[] {
  return [
    ...['--target=x86_64-linux-gnu', ...CPU_LEVELS[cpu].march],
    ...GUEST_FLAGS,
    ...MACHINE_FLAGS[machine],
    ...['-c', source, '-o', object],
  ];
}

/** lld's arguments from objects, the main unit's first, to an ELF that needs nothing else, by the machine's linker script if it has one. */
export function linkArguments(
  machine: GuestMachine,
  objects: readonly string[],
  elf: string,
): string[] {
  const script = linkerScript(machine);
  const form = machine === 'uefi' ? ['-pie', '--no-dynamic-linker', '-z', 'norelro'] : ['-static'];
  return [
    ...[...form, '-nostdlib', '--gc-sections', '--build-id=none', '-z', 'noexecstack'],
    ...(existsSync(script) ? ['-T', script] : []),
    ...['-o', elf, ...objects],
  ];
}

/** clang's arguments from one C file to a WebAssembly module that exports what the C says it does. */
export function wasmArguments(source: string, wasm: string): string[] {
  return ['--target=wasm32', ...GUEST_FLAGS, '-g0', '-Wl,--no-entry', '-o', wasm, source];
}

export function linkerScript(machine: GuestMachine): string {
  return join(PROJECT_ROOT, 'guest/machine', machine, 'link.ld');
}

/** A version string of the compiler and linker in use, for cache keys and manifests. */
export function clangVersion(): string {
  requireTool('clang');
  requireTool('lld');
  return `clang ${findTool('clang').version} lld ${findTool('lld').version}`;
}

/** clang or lld said no: what ran, what it wrote, where the C lies. */
export class ToolchainError extends Error {
  constructor(tool: string, command: readonly string[], code: number | null, stderr: string) {
    super(
      `${tool} failed (${code === null ? 'it was killed' : `exit code ${code}`})\n` +
        `  command: ${command.join(' ')}\n${indent(stderr.trimEnd())}`,
    );
  }
}

/** Runs clang or lld to its end; its warnings are returned, its failure thrown. */
export function runTool(tool: 'clang' | 'lld', args: readonly string[]): string {
  const command = [...requireTool(tool), ...args];
  const run = spawnSync(command[0], command.slice(1), { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (run.error) throw new Error(`${tool} did not start: ${run.error.message}`);
  if (run.status !== 0) throw new ToolchainError(tool, command, run.status, run.stderr);
  return run.stderr;
}

/** The same, beside what else runs. */
export function startTool(tool: 'clang' | 'lld', args: readonly string[]): Promise<string> {
  const command = [...requireTool(tool), ...args];
  return new Promise((resolve, reject) => {
    execFile(command[0], command.slice(1), { maxBuffer: 1 << 26 }, (error, _stdout, stderr) => {
      if (error === null) resolve(stderr);
      else if (error.code === 'ENOENT')
        reject(new Error(`${tool} did not start: ${error.message}`));
      else {
        const code = typeof error.code === 'number' ? error.code : null;
        reject(new ToolchainError(tool, command, code, stderr));
      }
    });
  });
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
