/** From guest source to something that runs: WebAssembly in this process, or a Linux executable. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CompileInput, compileToC, formatDiagnostics } from '../../src/compiler/index.ts';
import { GUEST_FLAGS, linkArguments, runTool } from '../../src/toolchain/clang.ts';
import { archModules } from '../../src/toolchain/guest.ts';

/** The part of the WebAssembly API that the tests use; Node's types lack it. */
interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: Record<string, unknown> };
  RuntimeError: new () => Error;
}
const { Module, Instance, RuntimeError } = (
  globalThis as unknown as { WebAssembly: WebAssemblyApi }
).WebAssembly;

export type Exports = Record<string, (...args: (number | bigint)[]) => number | bigint | undefined>;

/** clang's undefined-behaviour sanitizer without its library: what it finds is a trap. */
export const SANITIZE = ['-fsanitize=undefined', '-fsanitize-trap=all', '-O1'];

/**
 * At the start of a program's text: its entry calls the function with `@symbol start`, and call()
 * is a system call.
 */
export const LINUX = `import 'arch/processEntry';
import { syscall } from 'arch/linux';

function call(number: usize, a: usize, b: usize, c: usize): isize {
  return syscall(number, a, b, c, 0, 0, 0);
}
`;

/**
 * Compiles source text, which may import guest/arch, and fails the test with the diagnostics if it
 * is refused.
 */
export function toC(source: string, options: Partial<CompileInput> = {}): string {
  const entry = '/test/input.ts';
  const target = options.target ?? { arch: 'wasm32' as const };
  const modules = archModules(target.arch);
  const read = (path: string) => (path === entry ? source : readFileSync(path, 'utf8'));
  const { c, diagnostics } = compileToC({ modules, read, ...options, entry, target });
  if (diagnostics.length > 0) throw new Error(formatDiagnostics(diagnostics));
  return c;
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'mu-test-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export interface WasmModule {
  exports: Exports;
  memory: { buffer: ArrayBuffer };
}

/** A module without imports, ready to be called. */
export function instantiate(bytes: Uint8Array): WasmModule {
  const { memory, ...exports } = new Instance(new Module(bytes), {}).exports;
  return { exports: exports as Exports, memory: memory as WasmModule['memory'] };
}

/** C → WebAssembly → its exports. 1 MiB from address 1 << 20 is free for the test's data. */
export function runWasm(c: string, flags: string[] = []): WasmModule {
  return inFolder((folder) => {
    const source = join(folder, 'test.c');
    const wasm = join(folder, 'test.wasm');
    writeFileSync(source, c);
    const link = ['-Wl,--no-entry', '-Wl,--initial-memory=2097152', '-Wl,--export-memory'];
    runTool('clang', [
      '--target=wasm32',
      ...GUEST_FLAGS,
      '-g0',
      ...flags,
      ...link,
      '-o',
      wasm,
      source,
    ]);
    return instantiate(readFileSync(wasm));
  });
}

export interface Run {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: Buffer;
}

/**
 * C with an entry stub → static Linux executable; `run` starts it with the given standard input.
 */
export function withNative<T>(
  c: string,
  flags: string[],
  work: (run: (input?: Uint8Array) => Run) => T,
): T {
  return inFolder((folder) => {
    const source = join(folder, 'test.c');
    const object = join(folder, 'test.o');
    const elf = join(folder, 'test.elf');
    writeFileSync(source, c);
    runTool('clang', [
      '--target=x86_64-linux-gnu',
      ...GUEST_FLAGS,
      ...flags,
      '-c',
      source,
      '-o',
      object,
    ]);
    runTool('lld', linkArguments('process', [object], elf));
    return work((input) => {
      const { status, signal, stdout } = spawnSync(elf, {
        input,
        timeout: 20_000,
        maxBuffer: 1 << 26,
      });
      return { status, signal, stdout };
    });
  });
}

/** A result, or what stands for a trap. */
export function call(
  exports: Exports,
  name: string,
  args: (number | bigint)[],
): number | bigint | undefined | 'trap' {
  try {
    return exports[name](...args);
  } catch (error) {
    if (error instanceof RuntimeError) return 'trap';
    throw error;
  }
}
