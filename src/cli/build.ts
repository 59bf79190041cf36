import { type Command, InvalidArgumentError } from 'commander';
import { buildUnikernel, ELF_NAME, type Manifest, PACK_NAME } from '../stacks/unikernel.ts';
import { ensureTools } from '../toolchain/install.ts';
import { addModelOptions, MODEL_HELP, type ModelOptions, requestPack } from './modelOptions.ts';
import { formatBytes, formatMemory, say } from './terminal.ts';

const STACKS = ['unikernel'] as const;

interface BuildOptions extends ModelOptions {
  stack: string;
  output: string;
}

export function registerBuild(program: Command): void {
  const command = program
    .command('build')
    .description('build a bootable image')
    .argument('<model>', MODEL_HELP)
    .requiredOption('--stack <name>', `one of: ${STACKS.join(', ')}`, stackName)
    .requiredOption('-o, --output <folder>', 'folder to write');
  addModelOptions(command).action(build);
}

function stackName(name: string): string {
  if (!(STACKS as readonly string[]).includes(name)) {
    throw new InvalidArgumentError(`Stacks that exist: ${STACKS.join(', ')}.`);
  }
  return name;
}

async function build(model: string, options: BuildOptions): Promise<void> {
  ensureTools(['clang', 'lld'], say);
  const request = await requestPack(model, options);
  const { manifest } = await buildUnikernel(
    { ...request, checked: options.checked },
    options.output,
  );
  process.stdout.write(`${describeImage(manifest, options.output)}\n`);
}

/** What was made, how much memory it needs, and how to boot it. */
export function describeImage({ files, memory, model, options }: Manifest, folder: string): string {
  const rows: [string, number][] = [
    ['low memory', memory.low],
    ['program', memory.program],
    [`KV cache, ${options.context} positions`, memory.keyValueCache],
    ['activations, logits, stacks', memory.work],
    ['model pack', memory.pack],
    ['slack', memory.slack],
    ['RAM in all', memory.total],
  ];
  const lines = rows.map(
    ([what, bytes]) => `  ${what.padEnd(28)} ${formatMemory(bytes).padStart(10)}`,
  );
  return [
    `${folder}: ${model.name} as a unikernel for x86-64`,
    `  ${ELF_NAME} ${formatBytes(files.elf.bytes)}, ${PACK_NAME} ${formatBytes(files.pack.bytes)}`,
    'Memory:',
    ...lines,
    `Boot it: mu boot ${folder}`,
  ].join('\n');
}
