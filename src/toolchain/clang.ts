import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
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

export const GUEST_MACHINES = ['process', 'pc'] as const;
export type GuestMachine = (typeof GUEST_MACHINES)[number];

/** What one machine adds. Interrupts share the stack on `pc`, so it can have no red zone. */
const MACHINE_FLAGS: Record<GuestMachine, readonly string[]> = {
  process: [],
  pc: ['-mno-red-zone', '-mcmodel=small'],
};

/**
 * x86-64 levels that guests are compiled for, lowest first: `-march` flags and the names in
 * /proc/cpuinfo that must all be there. Preferring 512-bit registers matters: x86-64-v4 alone tunes
 * for CPUs that slow down with them, and would split every 64-byte vector.
 */
export const CPU_LEVELS = {
  v3: { march: ['-march=x86-64-v3'], needs: ['avx2', 'bmi2', 'fma', 'movbe', 'f16c'] },
  'v3-vnni': { march: ['-march=x86-64-v3', '-mavxvnni'], needs: ['avx_vnni'] },
  'v4-vnni': {
    march: ['-march=x86-64-v4', '-mavx512vnni', '-mprefer-vector-width=512'],
    needs: ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl', 'avx512_vnni'],
  },
} as const satisfies Record<string, { march: readonly string[]; needs: readonly string[] }>;
export type CpuLevel = keyof typeof CPU_LEVELS;

/** The best level that a CPU with these flags (/proc/cpuinfo) has. Throws if it lacks the lowest. */
export function cpuLevelOf(flags: ReadonlySet<string>): CpuLevel {
  const missing = CPU_LEVELS.v3.needs.filter((flag) => !flags.has(flag));
  if (missing.length > 0) {
    throw new Error(
      `this CPU lacks ${missing.join(', ')}: x86-64-v3 (AVX2, FMA) is the least we run on`,
    );
  }
  let best: CpuLevel = 'v3';
  for (const level of ['v3-vnni', 'v4-vnni'] as const) {
    if (CPU_LEVELS[level].needs.every((flag) => flags.has(flag))) best = level;
  }
  return best;
}

/** The level of the CPU that we run on. */
export function hostCpuLevel(): CpuLevel {
  if (process.arch !== 'x64' || process.platform !== 'linux') {
    throw new Error(
      `guests run as processes on x86-64 Linux only, so far; this is ${process.platform} on ${process.arch}`,
    );
  }
  const line = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
  return cpuLevelOf(new Set(line?.[1].trim().split(/\s+/)));
}

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

/** lld's arguments from one object to a static ELF, by the machine's linker script if it has one. */
export function linkArguments(machine: GuestMachine, object: string, elf: string): string[] {
  const script = linkerScript(machine);
  return [
    ...['-static', '-nostdlib', '--gc-sections', '--build-id=none', '-z', 'noexecstack'],
    ...(existsSync(script) ? ['-T', script] : []),
    ...['-o', elf, object],
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

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
