import { copyFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type {
  Architecture,
  CompileInput,
  CompileOutput,
  Constants,
  Storage,
  UnitInput,
} from '../compiler/index.ts';
import { countLines, followImports } from '../lines/count.ts';
import { DEFAULT_TARGET, type TargetName } from './architectures.ts';
import { cached, cacheFolder, hashOf, hashSources, PROJECT_ROOT } from './cache.ts';
import {
  clangVersion,
  compileArguments,
  type GuestMachine,
  linkArguments,
  runTool,
  startTool,
} from './clang.ts';
import { alignImage } from './elf.ts';
import { peFromElf } from './pe.ts';
import {
  BASE_VARIANT,
  dotsOf,
  type Variant,
  type VariantName,
  variantConstants,
  variantNamed,
  variantsOf,
} from './variants.ts';

export interface GuestOptions {
  /** Default: x86_64. */
  architecture?: TargetName;
  machine: GuestMachine;
  /** `chat`, `evaluate`, or the path of a module that exports main(). */
  app: string;
  /** What the guest imports from 'model'. */
  constants: Constants;
  /** Traps on out-of-bounds, null and lossy casts. Default false. */
  checked?: boolean;
  /** Only this variant. Default: all, of which the program chooses when it starts. */
  cpu?: VariantName;
  /** Copy the ELF here as well. */
  output?: string;
}

export interface CompiledGuest {
  architecture: TargetName;
  /** Path of the linked program. */
  elf: string;
  /** The same without symbols and debug information, for images. */
  stripped: string;
  /** Of the machine `uefi`: the same as an EFI application. */
  efi?: string;
  /** Paths of the C that the compiler wrote, the main unit's first. */
  c: readonly string[];
  /** Size of the ELF. */
  bytes: number;
  /** Every buffer and variable that it has, with files from the project's root on. */
  storage: readonly Storage[];
  wasCached: boolean;
}

/**
 * guest/*.ts → C → ELF, for one machine, one application and one model. The result lies in the
 * cache under the hash of everything that it depends on: guest and compiler sources, constants,
 * options, clang's version.
 */
export async function compileGuest(options: GuestOptions): Promise<CompiledGuest> {
  const { architecture = DEFAULT_TARGET, machine, constants, checked = false } = options;
  const variants = options.cpu ? [variantNamed(options.cpu)] : variantsOf(architecture);
  const { entry, modules } = guestModules(machine, options.app, variants[0]);
  const key = hashOf([
    hashSources(['guest', 'src/compiler', 'src/toolchain'], ['.ts', '.ld']),
    existsSync(modules.app) ? readFileSync(modules.app, 'utf8') : null,
    ...[modules.app, machine, variants, checked, constants, clangVersion()],
  ]);
  const { folder, wasCached } = await cached('guest', key, (folder) =>
    build({
      architecture,
      machine,
      entry,
      modules: { ...modules, model: constants, variants: variantConstants(variants) },
      checked,
      variants,
      folder,
    }),
  );
  const elf = join(folder, 'guest.elf');
  if (options.output) copyFileSync(elf, options.output);
  const stripped = join(folder, 'guest.stripped.elf');
  const efi = machine === 'uefi' ? join(folder, EFI_NAME) : undefined;
  const names = ['guest.c', ...variants.slice(1).map(({ name }) => `guest.${name}.c`)];
  const c = names.map((name) => join(folder, name)).filter((path) => existsSync(path));
  const storage: Storage[] = JSON.parse(readFileSync(join(folder, STORAGE_NAME), 'utf8'));
  return { architecture, elf, stripped, efi, c, bytes: statSync(elf).size, storage, wasCached };
}

/** What compileGuest hands to clang, and what the compiler says of it. Nothing is cached. */
export function guestToC(options: GuestOptions): Promise<CompileOutput> {
  const { architecture = DEFAULT_TARGET, machine, app, constants, checked, cpu } = options;
  const variants = cpu ? [variantNamed(cpu)] : variantsOf(architecture);
  const { entry, modules } = guestModules(machine, app, variants[0]);
  return toC({
    entry,
    modules: { ...modules, model: constants, variants: variantConstants(variants) },
    target: { arch: architecture },
    checked,
    units: variants.slice(1).map(unitOf),
  });
}

/** The same of compileInit's program. */
export function initToC(arch: TargetName = DEFAULT_TARGET): Promise<CompileOutput> {
  return toC({ entry: INIT, modules: archModules(arch), target: { arch } });
}

const INIT = join(PROJECT_ROOT, 'guest/linux/init.ts');

/** What compileGuest's program would have, by the compiler alone. */
export async function guestStorage(
  machine: GuestMachine,
  app: string,
  constants: Constants,
): Promise<Storage[]> {
  const { entry, modules } = guestModules(machine, app);
  const output = await toC({
    entry,
    modules: { ...modules, model: constants, variants: variantConstants([BASE_VARIANT]) },
    target: { arch: BASE_VARIANT.arch },
  });
  return output.storage;
}

const EFI_NAME = 'guest.efi';
const STORAGE_NAME = 'storage.json';

/** The pages that a PC's image is mapped with. */
const LARGE_PAGE = 2 ** 21;

/**
 * The module that is compiled once for each variant: it and the kernels are all that a variant
 * makes a difference to.
 */
const UNIT_ROOT = join(PROJECT_ROOT, 'guest/engine/transformer.ts');

/** A variant beside the main one, as the compiler takes it. */
export function unitOf(variant: Variant): UnitInput {
  return { name: variant.name, root: UNIT_ROOT, modules: { dots: dotsOf(variant) } };
}

/** Every source file of a guest with all its units. Absolute paths. */
export function guestFiles(machine: GuestMachine, app: string): string[] {
  const { entry, modules } = guestModules(machine, app);
  const further = variantsOf(DEFAULT_TARGET)
    .slice(1)
    .map((variant) => guestModules(machine, app, variant).modules);
  return [
    ...new Set([
      ...followImports(entry, modules),
      ...further.flatMap((modules) => followImports(UNIT_ROOT, modules)),
    ]),
  ];
}

/** The root module of a guest and the files behind its bare module names. */
export function guestModules(
  machine: GuestMachine,
  app: string,
  variant: Variant = BASE_VARIANT,
): { entry: string; modules: { machine: string; app: string; dots: string; 'arch/': string } } {
  const home = join(PROJECT_ROOT, 'guest/machine', machine);
  const named = join(PROJECT_ROOT, 'guest/apps', `${app}.ts`);
  return {
    entry: join(home, 'entry.ts'),
    modules: {
      machine: join(home, 'machine.ts'),
      app: existsSync(named) ? named : resolve(app),
      dots: dotsOf(variant),
      ...archModules(variant.arch),
    },
  };
}

/**
 * The folder behind the bare names `arch/…`: what a program's processor brings,
 * guest/arch/README.md.
 */
export function archModules(arch: Architecture = DEFAULT_TARGET): { 'arch/': string } {
  return { 'arch/': join(PROJECT_ROOT, 'guest/arch', arch, '/') };
}

export interface CompiledInit {
  /** Path of the program, without symbols and debug information. */
  elf: string;
  /**
   * Lines of code that say what init does: init.ts and mounts.ts, without the system calls below
   * them.
   */
  codeLines: number;
}

/** guest/linux/init.ts → C → ELF: the same for every model and CPU. */
export async function compileInit({
  architecture = DEFAULT_TARGET,
  checked = false,
}: Pick<GuestOptions, 'architecture' | 'checked'> = {}): Promise<CompiledInit> {
  const home = join(PROJECT_ROOT, 'guest/linux');
  const key = hashOf([
    hashSources(
      ['guest/linux', 'guest/machine', 'guest/arch', 'src/compiler', 'src/toolchain'],
      ['.ts'],
    ),
    ...[architecture, checked, clangVersion()],
  ]);
  const { folder } = await cached('init', key, (folder) =>
    build({
      architecture,
      machine: 'process',
      entry: INIT,
      modules: archModules(architecture),
      checked,
      variants: variantsOf(architecture).slice(0, 1),
      folder,
    }),
  );
  const codeLines = ['init.ts', 'mounts.ts']
    .map((name) => countLines(readFileSync(join(home, name), 'utf8')).code)
    .reduce((sum, lines) => sum + lines);
  return { elf: join(folder, 'guest.stripped.elf'), codeLines };
}

interface Build {
  architecture: TargetName;
  machine: GuestMachine;
  entry: string;
  modules: Record<string, string | Constants>;
  checked: boolean;
  /** the main unit's first */
  variants: readonly Variant[];
  folder: string;
}

/** compileToC, which must succeed; files of storage and declarations from the project's root on. */
async function toC(input: CompileInput): Promise<CompileOutput> {
  // Imported late: a cached guest needs no compiler, and TypeScript's parser takes a while to load.
  const { compileToC, formatDiagnostic } = await import('../compiler/index.ts');
  const output = compileToC(input);
  const { diagnostics } = output;
  if (diagnostics.length > 0) throw new Error(diagnostics.map(formatDiagnostic).join('\n'));
  const fromRoot = <T extends { file: string }>(entry: T): T => ({
    ...entry,
    file: relative(PROJECT_ROOT, resolve(entry.file)),
  });
  const [storage, reached] = [output.storage.map(fromRoot), output.reached.map(fromRoot)];
  return { ...output, storage, reached };
}

async function build(order: Build): Promise<void> {
  const { architecture, machine, entry, modules, checked, variants, folder } = order;
  const [main, ...further] = variants;
  const { c, units, storage } = await toC({
    entry,
    modules,
    target: { arch: architecture },
    checked,
    units: further.map(unitOf),
  });
  writeFileSync(join(folder, STORAGE_NAME), JSON.stringify(storage));
  const files = [
    { name: 'guest', variant: main, c },
    ...further
      .filter(({ name }) => units[name] !== undefined)
      .map((variant) => ({ name: `guest.${variant.name}`, variant, c: units[variant.name] })),
  ].map((unit) => ({ ...unit, path: join(folder, unit.name) }));
  for (const { path, c } of files) writeFileSync(`${path}.c`, c);
  try {
    const compile = ({ variant, path }: (typeof files)[number]) =>
      startTool('clang', compileArguments(machine, variant, `${path}.c`, `${path}.o`));
    await Promise.all(files.map(compile));
    const objects = files.map(({ path }) => `${path}.o`);
    const elf = join(folder, 'guest.elf');
    runTool('lld', linkArguments(machine, objects, elf, architecture));
    const stripped = join(folder, 'guest.stripped.elf');
    runTool('lld', ['-s', ...linkArguments(machine, objects, stripped, architecture)]);
    if (machine === 'pc') for (const path of [elf, stripped]) alignImage(path, LARGE_PAGE);
    if (machine === 'uefi')
      writeFileSync(join(folder, EFI_NAME), peFromElf(readFileSync(stripped)));
    for (const object of objects) rmSync(object);
  } catch (error) {
    throw new Error(keepFailed(files, machine, (error as Error).message));
  }
}

/**
 * The folder goes away with the failure: keeps the C where a person can look at it, if there is
 * room. Returns the message with its new place.
 */
function keepFailed(
  files: readonly { name: string; path: string }[],
  machine: GuestMachine,
  message: string,
): string {
  try {
    const failed = cacheFolder('failed');
    let kept = message;
    for (const { name, path } of files) {
      const copy = join(failed, `${machine}${name.replace('guest', '')}.c`);
      copyFileSync(`${path}.c`, copy);
      kept = kept.replaceAll(`${path}.c`, copy);
    }
    return `${kept}\n  the C files: ${join(failed, machine)}*.c`;
  } catch {
    return message; // what went wrong first matters more
  }
}
