import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import type { Constants } from '../compiler/index.ts';
import { countLines } from '../measure/lines.ts';
import { cached, cacheFolder, hashOf, hashSources, PROJECT_ROOT } from './cache.ts';
import {
  type CpuLevel,
  clangVersion,
  compileArguments,
  type GuestMachine,
  hostCpuLevel,
  linkArguments,
  runTool,
} from './clang.ts';

export interface GuestOptions {
  machine: GuestMachine;
  /** `chat`, `evaluate`, or the path of a module that exports main(). */
  app: string;
  /** What the guest imports from 'model'. */
  constants: Constants;
  /** Traps on out-of-bounds, null and lossy casts. Default false. */
  checked?: boolean;
  /** Default: x86-64-v3 for `pc`, the host's own CPU for `process`. */
  cpu?: CpuLevel;
  /** Copy the ELF here as well. */
  output?: string;
}

export interface CompiledGuest {
  /** Path of the linked program. */
  elf: string;
  /** The same without symbols and debug information, for images. */
  stripped: string;
  /** Path of the C that the compiler wrote. */
  c: string;
  /** Size of the ELF. */
  bytes: number;
  wasCached: boolean;
}

/**
 * guest/*.ts → C → ELF, for one machine, one application and one model. The result lies in the
 * cache under the hash of everything that it depends on: guest and compiler sources, constants,
 * options, clang's version.
 */
export async function compileGuest(options: GuestOptions): Promise<CompiledGuest> {
  const { machine, constants, checked = false } = options;
  const cpu = options.cpu ?? (machine === 'process' ? hostCpuLevel() : 'v3');
  const { entry, modules } = guestModules(machine, options.app);
  const key = hashOf([
    hashSources(['guest', 'src/compiler', 'src/toolchain'], ['.ts', '.ld']),
    statSync(modules.app, { throwIfNoEntry: false })?.mtimeMs ?? null,
    ...[modules.app, machine, cpu, checked, constants, clangVersion()],
  ]);
  const { folder, wasCached } = await cached('guest', key, (folder) =>
    build({ machine, entry, modules: { ...modules, model: constants }, checked, cpu, folder }),
  );
  const elf = join(folder, 'guest.elf');
  if (options.output) copyFileSync(elf, options.output);
  const stripped = join(folder, 'guest.stripped.elf');
  return { elf, stripped, c: join(folder, 'guest.c'), bytes: statSync(elf).size, wasCached };
}

/** The root module of a guest and the files behind its bare module names. */
export function guestModules(
  machine: GuestMachine,
  app: string,
): { entry: string; modules: { machine: string; app: string } } {
  const home = join(PROJECT_ROOT, 'guest/machine', machine);
  const named = join(PROJECT_ROOT, 'guest/apps', `${app}.ts`);
  return {
    entry: join(home, 'entry.ts'),
    modules: { machine: join(home, 'machine.ts'), app: existsSync(named) ? named : resolve(app) },
  };
}

export interface CompiledInit {
  /** Path of the program, without symbols and debug information. */
  elf: string;
  /** Lines of code that say what init does: init.ts and mounts.ts, without the system calls below them. */
  codeLines: number;
}

/** guest/linux/init.ts → C → ELF: the same for every model and CPU. */
export async function compileInit(checked = false): Promise<CompiledInit> {
  const home = join(PROJECT_ROOT, 'guest/linux');
  const key = hashOf([
    hashSources(['guest/linux', 'guest/machine', 'src/compiler', 'src/toolchain'], ['.ts']),
    ...[checked, clangVersion()],
  ]);
  const { folder } = await cached('init', key, (folder) =>
    build({
      machine: 'process',
      entry: join(home, 'init.ts'),
      modules: {},
      checked,
      cpu: 'v3',
      folder,
    }),
  );
  const codeLines = ['init.ts', 'mounts.ts']
    .map((name) => countLines(readFileSync(join(home, name), 'utf8')).code)
    .reduce((sum, lines) => sum + lines);
  return { elf: join(folder, 'guest.stripped.elf'), codeLines };
}

interface Build {
  machine: GuestMachine;
  entry: string;
  modules: Record<string, string | Constants>;
  checked: boolean;
  cpu: CpuLevel;
  folder: string;
}

async function build({ machine, entry, modules, checked, cpu, folder }: Build): Promise<void> {
  // Imported late: a cached guest needs no compiler, and TypeScript's parser takes a while to load.
  const { compileToC, formatDiagnostic } = await import('../compiler/index.ts');
  const target = { arch: 'x86_64' } as const;
  const { c, diagnostics } = compileToC({ entry, modules, target, checked });
  if (diagnostics.length > 0) throw new Error(diagnostics.map(formatDiagnostic).join('\n'));
  const source = join(folder, 'guest.c');
  const object = join(folder, 'guest.o');
  writeFileSync(source, c);
  try {
    runTool('clang', compileArguments(machine, cpu, source, object));
    runTool('lld', linkArguments(machine, object, join(folder, 'guest.elf')));
    runTool('lld', ['-s', ...linkArguments(machine, object, join(folder, 'guest.stripped.elf'))]);
    rmSync(object);
  } catch (error) {
    // The folder goes away with the failure: keep the C where a person can look at it.
    const failed = join(cacheFolder(), 'failed');
    mkdirSync(failed, { recursive: true });
    const copy = join(failed, `${machine}.c`);
    copyFileSync(source, copy);
    const message = (error as Error).message.replaceAll(source, copy);
    throw new Error(`${message}\n  the C file: ${copy}`);
  }
}
