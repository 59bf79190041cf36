import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Command, Option } from 'commander';
import {
  ARCHITECTURES,
  type Architecture,
  type Constants,
  compileToC,
  formatDiagnostics,
} from '../compiler/index.ts';
import {
  DEFAULT_TARGET,
  GUEST_MACHINES,
  type GuestMachine,
  isTarget,
  targetNamed,
} from '../toolchain/architectures.ts';
import { withPlace } from '../toolchain/cache.ts';
import { GUEST_FLAGS, linkArguments, runTool, wasmArguments } from '../toolchain/clang.ts';
import { archModules, guestModules } from '../toolchain/guest.ts';
import { BASE_VARIANT, variantConstants, variantsOf } from '../toolchain/variants.ts';
import { parseConstants } from './constants.ts';
import { EXIT_FAILURE, say } from './terminal.ts';

interface CompileOptions {
  emit: 'c' | 'elf' | 'wasm';
  output?: string;
  checked?: boolean;
  target?: Architecture;
  machine?: GuestMachine;
  constants?: string;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .argument('<file>', 'the root module; with --machine, the application that its entry calls')
    .addOption(
      new Option('--emit <form>', 'what to write').choices(['c', 'elf', 'wasm']).default('c'),
    )
    .option('-o, --output <file>', 'where to; default: C to stdout, else FILE.elf, .o or .wasm')
    .option('--checked', 'trap on out-of-bounds, null and lossy casts')
    .addOption(
      new Option('--target <arch>', `default: ${DEFAULT_TARGET}; wasm32 for wasm`).choices(
        ARCHITECTURES,
      ),
    )
    .addOption(
      new Option('--machine <name>', 'link with this machine of guest/').choices(GUEST_MACHINES),
    )
    .option('--constants <file>', 'JSON object: what the module "model" exports')
    .option('--json', 'print diagnostics as JSON')
    .addHelpText(
      'after',
      "\nAn ELF is a program if a module brings an entry (import 'arch/processEntry'), else an object file." +
        '\ndocs/language.md describes the language.',
    )
    .action(compile);
}

function compile(file: string, options: CompileOptions): void {
  const arch = options.target ?? (options.emit === 'wasm' ? 'wasm32' : DEFAULT_TARGET);
  const model: Constants = options.constants
    ? parseConstants(readFileSync(options.constants, 'utf8'))
    : {};
  const guest = options.machine && guestModules(options.machine, file);
  const { c, diagnostics } = compileToC({
    entry: guest ? guest.entry : file,
    modules: {
      ...guest?.modules,
      ...archModules(arch),
      ...(guest && { variants: variantConstants([BASE_VARIANT]) }),
      ...(options.constants ? { model } : {}),
    },
    target: { arch },
    checked: options.checked,
  });
  if (options.json) process.stdout.write(`${JSON.stringify(diagnostics, null, 2)}\n`);
  if (diagnostics.length > 0) {
    if (!options.json) say(formatDiagnostics(diagnostics));
    process.exitCode = EXIT_FAILURE;
    return;
  }
  if (options.emit === 'c') {
    if (options.output) writeText(options.output, c);
    else if (!options.json) process.stdout.write(c);
    return;
  }
  const isProgram = /^_start:|"_start:/m.test(c);
  const name = basename(file).replace(/\.ts$/, '');
  const extension = options.emit === 'wasm' ? 'wasm' : isProgram ? 'elf' : 'o';
  const output = options.output ?? `${name}.${extension}`;
  const folder = mkdtempSync(join(tmpdir(), 'mu-compile-'));
  try {
    build(c, folder, { arch, isProgram, machine: options.machine, emit: options.emit });
    copyFileSync(join(folder, 'out'), output);
  } finally {
    rmSync(folder, { recursive: true });
  }
  say(output);
}

function writeText(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw withPlace(error, path);
  }
}

interface Form {
  arch: Architecture;
  isProgram: boolean;
  machine?: GuestMachine;
  emit: 'c' | 'elf' | 'wasm';
}

/** C → `out` in the folder. */
function build(c: string, folder: string, { arch, isProgram, machine, emit }: Form): void {
  const source = join(folder, 'guest.c');
  const object = join(folder, 'guest.o');
  const out = join(folder, 'out');
  writeFileSync(source, c);
  if (emit === 'wasm') {
    runTool('clang', wasmArguments(source, out));
    return;
  }
  // Without a machine, code of any architecture can be looked at.
  const target = isTarget(arch) || machine ? targetNamed(arch) : undefined;
  runTool('clang', [
    `--target=${target?.triple ?? `${arch}-linux-gnu`}`,
    ...(target ? [...variantsOf(target.name)[0].clang, ...target.interrupted] : []),
    ...GUEST_FLAGS,
    ...(target && machine ? target.machines[machine].compile : []),
    ...['-c', source, '-o', isProgram ? object : out],
  ]);
  if (isProgram) runTool('lld', linkArguments(machine ?? 'process', [object], out, target?.name));
}
