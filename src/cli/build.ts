import { type Command, Option } from 'commander';
import { DEFAULT_DATE, dateOfEpoch } from '../model/chat/date.ts';
import { engineNamed } from '../stacks/engine.ts';
import { buildStack, requireFormat, STACK_NAMES, stackNamed } from '../stacks/index.ts';
import type { Manifest, StackName } from '../stacks/manifest.ts';
import type { PackRequest } from '../stacks/prepare.ts';
import { IMAGE_FORMATS, type ImageFormat, type StackRequest } from '../stacks/stack.ts';
import { targetNamed } from '../toolchain/architectures.ts';
import { ensureTools } from '../toolchain/install.ts';
import { describeLimits } from './conversation.ts';
import {
  type ChatOptions,
  MODEL_HELP,
  MODEL_OPTIONS,
  type ModelOptions,
  requestPack,
} from './modelOptions.ts';
import { addOptions, option } from './options.ts';
import {
  asJson,
  createProgress,
  formatBytes,
  formatMemory,
  print,
  say,
  shellWord,
} from './terminal.ts';

interface BuildOptions extends ModelOptions, ChatOptions {
  stack: StackName;
  limine?: string;
  usb?: boolean;
  format?: ImageFormat;
  embed?: boolean;
  ctxShift?: boolean;
  json?: boolean;
  output: string;
}

const FORMAT_HELP =
  'unikernel: elf, or firecracker, with its configuration, or iso, which Limine boots; metal: efi, a folder, or img, a disk, or iso (default: the first)';

export function configure(command: Command): void {
  command
    .argument('<model>', MODEL_HELP)
    .addOption(
      new Option('--stack <name>', 'what lies between the engine and the machine')
        .choices(STACK_NAMES)
        .makeOptionMandatory(),
    )
    .requiredOption('-o, --output <folder>', 'folder to write')
    .option(
      '--limine <folder>',
      'a Limine release, for the stack linux and ISOs (default: $LIMINE_DIR, the usual places; for metal: none)',
    )
    .option('--usb', 'stack linux: USB keyboards too (the kernel gets a tenth larger)');
  command.addOption(new Option('--format <name>', FORMAT_HELP).choices(IMAGE_FORMATS));
  command.option(
    '--embed',
    'stack metal: one single file, the pack within the EFI application (firmware loads it twice)',
  );
  addOptions(command, 'ctxShift', 'system', 'thinking', ...MODEL_OPTIONS)
    .addOption(
      option('date', {
        help: `YYYY-MM-DD: what a chat template that asks takes for today (default: the day of $SOURCE_DATE_EPOCH, else ${DEFAULT_DATE})`,
      }),
    )
    .addOption(option('json', { help: 'print the manifest' }))
    .action(build);
}

async function build(model: string, options: BuildOptions): Promise<void> {
  const { stack, checked, cpu, limine, usb, format, embed, ctxShift } = options;
  if (usb && stack !== 'linux') throw new Error('--usb is for the stack linux');
  if (embed && stack !== 'metal') throw new Error('--embed is for the stack metal');
  if (embed && limine) throw new Error('--embed and --limine: Limine needs the pack as a file');
  if (limine && stack !== 'linux' && format !== 'iso')
    throw new Error('--limine is for the stack linux, and for --format iso');
  ensureTools(
    [...engineNamed().tools, ...stackNamed(stack).tools, ...requireFormat(stack, format)],
    say,
  );
  const progress = createProgress();
  const request: StackRequest = {
    ...(await requestPack(model, options)),
    chat: chosenChat(options),
    ...{ checked, cpu, limine, usb, format, embed, ctxShift, say },
    onStep: (done, total, what) => progress.update(done, total, what, String),
  };
  const { manifest } = await buildStack(stack, request, options.output);
  progress.end();
  const { chat, templateProblem } = manifest.model;
  // An image is of use without, too: whoever boots it may ask with --raw.
  if (templateProblem !== undefined)
    say(`note: ${templateProblem}: what is typed at the image's console is continued as bare text`);
  const limits = chat && describeLimits(chat);
  if (limits !== undefined) say(`note: ${limits}`);
  print(options.json ? asJson(manifest) : `${describeImage(manifest, options.output)}\n`);
}

/** An image is the same whenever it is built: its date is told, not today's. */
function chosenChat({ system, thinking, date }: ChatOptions): PackRequest['chat'] {
  return { system, thinking, date: date ?? dateOfEpoch(process.env.SOURCE_DATE_EPOCH) };
}

const ARTICLE: Record<StackName, string> = {
  linux: 'a small Linux',
  diet: 'the only process of a small Linux',
  unikernel: 'a unikernel',
  metal: 'the only program of a machine with UEFI',
};

/**
 * Stacks whose files boot together; those of the others are one image, made to be started in
 * several ways.
 */
const IN_PARTS: readonly StackName[] = ['unikernel', 'metal'];

/** What was made, how much memory it needs, and how to boot it. */
export function describeImage(manifest: Manifest, folder: string): string {
  const { stack, files, memory, model } = manifest;
  const { title } = targetNamed(manifest.architecture);
  const widest = Math.max(...files.map(({ name }) => name.length));
  const inAll = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const isSum = files.length > 1 && IN_PARTS.includes(stack);
  const sum = isSum ? [{ name: 'in all', bytes: inAll, what: '' }] : [];
  const fileLines = [...files, ...sum].map(({ name, bytes, what }) =>
    `  ${name.padEnd(widest)} ${formatBytes(bytes).padStart(9)}  ${what}`.trimEnd(),
  );
  const memoryLines = [...memory.parts, { what: 'RAM in all', bytes: memory.total }].map(
    ({ what, bytes }) => `  ${what.padEnd(28)} ${formatMemory(bytes).padStart(10)}`,
  );
  return [
    `${folder}: ${model.name} as ${ARTICLE[stack]} for ${title}`,
    ...fileLines,
    'Memory:',
    ...memoryLines,
    `Boot it: mu boot ${shellWord(folder)}`,
  ].join('\n');
}
