import { execFile, spawnSync } from 'node:child_process';
import { basename, dirname, join } from 'node:path';
import {
  DEFAULT_TARGET,
  type GuestMachine,
  type TargetName,
  targetNamed,
} from './architectures.ts';
import { PROJECT_ROOT } from './cache.ts';
import { findTool, requireTool } from './find.ts';
import type { Variant } from './variants.ts';

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

export { GUEST_MACHINES, type GuestMachine } from './architectures.ts';

/** clang's arguments from one C file to one object file. */
export function compileArguments(
  machine: GuestMachine,
  variant: Variant,
  source: string,
  object: string,
): string[] {
  const { triple, machines } = targetNamed(variant.arch);
  return [
    ...[`--target=${triple}`, ...variant.clang],
    ...GUEST_FLAGS,
    ...machines[machine].compile,
    ...['-c', source, '-o', object],
  ];
}

/**
 * lld's arguments from objects, the main unit's first, to an ELF that needs nothing else, by the
 * machine's linker script if it has one.
 */
export function linkArguments(
  machine: GuestMachine,
  objects: readonly string[],
  elf: string,
  target: TargetName = DEFAULT_TARGET,
): string[] {
  const { link, script } = targetNamed(target).machines[machine];
  return [
    ...[...link, '-nostdlib', '--gc-sections', '--build-id=none', '-z', 'noexecstack'],
    ...(script === undefined ? [] : ['-T', join(PROJECT_ROOT, script)]),
    ...['-o', elf, ...objects],
  ];
}

/**
 * clang's arguments from one C file to a WebAssembly module that exports what the C says it does.
 */
export function wasmArguments(source: string, wasm: string): string[] {
  return ['--target=wasm32', ...GUEST_FLAGS, '-g0', '-Wl,--no-entry', '-o', wasm, source];
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

/**
 * A command line, and where it is run: beside its output, which it names by its last part alone,
 * since LLVM's tools take each % in that path for a digit to make up. All other paths are absolute.
 */
function besideOutput(tool: 'clang' | 'lld', args: readonly string[]) {
  const command = [...requireTool(tool), ...args];
  const at = command.indexOf('-o') + 1;
  const [cwd, name] = [dirname(command[at]), basename(command[at])];
  return { command: command.with(at, name), options: { cwd, maxBuffer: 1 << 26 } };
}

/** Runs clang or lld to its end; its warnings are returned, its failure thrown. */
export function runTool(tool: 'clang' | 'lld', args: readonly string[]): string {
  const { command, options } = besideOutput(tool, args);
  const run = spawnSync(command[0], command.slice(1), { encoding: 'utf8', ...options });
  if (run.error) throw new Error(`${tool} did not start: ${run.error.message}`);
  if (run.status !== 0) throw new ToolchainError(tool, command, run.status, run.stderr);
  return run.stderr;
}

/** The same, beside what else runs. */
export function startTool(tool: 'clang' | 'lld', args: readonly string[]): Promise<string> {
  const { command, options } = besideOutput(tool, args);
  return new Promise((resolve, reject) => {
    execFile(command[0], command.slice(1), options, (error, _stdout, stderr) => {
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
