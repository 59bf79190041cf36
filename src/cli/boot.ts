import { type Command, Option } from 'commander';
import type { Guest, GuestSettings } from '../console/guest.ts';
import type { Settings } from '../console/settings.ts';
import { bootStack, usualFirmware } from '../stacks/index.ts';
import { checkFiles, type Manifest, readManifest, type StackName } from '../stacks/manifest.ts';
import { ensureTools } from '../toolchain/install.ts';
import {
  FIRMWARES,
  type Firmware,
  MEDIA,
  type Medium,
  QEMU_MACHINES,
  type QemuMachine,
} from '../toolchain/qemu.ts';
import { answerAsJson, askOnce, requireTemplate } from './answer.ts';
import { attachConsole, attachShell } from './attach.ts';
import { type Conversation, startConversation } from './conversation.ts';
import { CHAT_OPTIONS, type ChatOptions } from './modelOptions.ts';
import { addOptions, MOST_PROCESSORS, option } from './options.ts';
import { readPrompt } from './prompt.ts';
import { SAMPLING, type SamplingOptions, settingsOf } from './sampling.ts';
import { describeReport, say, sayDim } from './terminal.ts';
import { describeBoot } from './timeline.ts';

interface BootOptions extends SamplingOptions, ChatOptions {
  prompt?: string;
  machine: QemuMachine;
  processors: number;
  firmware?: 'none' | Firmware;
  medium?: Medium;
  shell?: boolean;
  timeline?: boolean;
}

/** Milliseconds. Emulated firmware takes its time, and so does unpacking a large model. */
const READY_TIMEOUT = 300_000;

export function configure(command: Command): void {
  command
    .argument('<folder>', 'what `mu build` wrote')
    .addOption(
      option('prompt', { help: 'ask once, then power off; -: read it from standard input' }),
    )
    .addOption(
      new Option('-M, --machine <name>', 'QEMU machine').choices(QEMU_MACHINES).default('microvm'),
    )
    .addOption(
      new Option(
        '--firmware <name>',
        'what starts the image; none: QEMU itself, by PVH (default: none, for the stack metal uefi, for an ISO of unikernel bios)',
      ).choices(['none', ...FIRMWARES]),
    )
    .addOption(new Option('--medium <name>', 'what the firmware boots from').choices(MEDIA))
    .option('--shell', 'stack linux: a shell on the console in place of the model')
    .addOption(option('threads', { help: 'virtual processors', default: 1 }))
    .option('--timeline', 'with -p: print when QEMU started, the guest was ready, and so on')
    .addOption(option('json', { help: 'with -p: print one JSON object instead of text' }));
  command.addOption(
    option('date', {
      help: 'YYYY-MM-DD: what a chat template that asks takes for today (default: as it was built)',
    }),
  );
  addOptions(command, 'system', 'thinking', ...SAMPLING).action(
    (folder, { threads, ...options }) => {
      requireUsed(command, options);
      return boot(folder, { ...options, processors: threads });
    },
  );
}

/**
 * Throws for options that nothing would come of: a console answers what is typed as it does by
 * itself.
 */
function requireUsed(command: Command, { prompt, shell, json, timeline }: BootOptions): void {
  if (prompt !== undefined) {
    if (shell) throw new Error('a shell takes no prompt (-p)');
    return;
  }
  if (json) throw new Error('--json needs a prompt (-p)');
  if (timeline) throw new Error('--timeline needs a prompt (-p)');
  if (!shell && !process.stdin.isTTY) return; // lines from a pipe are asked with them
  for (const name of [...CHAT_OPTIONS, ...SAMPLING]) {
    if (command.getOptionValueSource(name) !== 'cli') continue;
    throw new Error(`${option(name).long} needs a prompt (-p), or lines from a pipe`);
  }
}

async function boot(folder: string, options: BootOptions): Promise<void> {
  const settings = settingsOf(options);
  const manifest = await readManifest(folder);
  await checkFiles(folder, manifest);
  const firmware = options.firmware ?? usualFirmware(manifest);
  ensureTools(['qemu', ...(firmware === 'uefi' ? (['ovmf'] as const) : [])], say);
  warnOfIdle(manifest.stack, options.processors);
  const starting = (guest: GuestSettings) => start(folder, manifest, options, guest);
  const { context } = manifest.options;
  if (options.shell) return attachShell(starting);
  if (options.prompt === undefined && process.stdin.isTTY) {
    const { templateProblem } = manifest.model;
    if (templateProblem !== undefined) say(`${templateProblem}: the model continues the bare text`);
  } else {
    requireTemplate(manifest.model, settings);
  }
  const converse = (guest: Guest) => conversationWith(guest, manifest, options, settings);
  if (options.prompt === undefined) return attachConsole(starting, settings, context, converse);
  await askMachine(folder, manifest, options, settings, await readPrompt(options.prompt));
}

/** Date and system prompt are the image's where none are given. */
function conversationWith(
  guest: Guest,
  { model, options: { ctxShift } }: Manifest,
  { system, thinking, date }: ChatOptions,
  settings: Settings,
): Promise<Conversation> {
  return startConversation(guest, model, settings, { system, thinking, date, ctxShift });
}

/** More processors than the stack's system works with do nothing. */
function warnOfIdle(stack: StackName, processors: number): void {
  const most = MOST_PROCESSORS[stack];
  if (processors > most)
    say(`-t ${processors}: the stack ${stack} works on ${most} at the most, the others stay idle`);
}

function start(
  folder: string,
  manifest: Manifest,
  { machine, processors, firmware, medium, shell }: BootOptions,
  settings: GuestSettings,
): Guest {
  const image = { folder, manifest, machine, processors, firmware, medium, shell };
  return bootStack(image, { readyTimeout: READY_TIMEOUT, ...settings });
}

async function askMachine(
  folder: string,
  manifest: Manifest,
  options: BootOptions,
  settings: Settings,
  prompt: Uint8Array,
): Promise<void> {
  const { context } = manifest.options;
  const onConsole = (bytes: Uint8Array) => process.stderr.write(bytes);
  const guest = start(folder, manifest, options, { onConsole });
  try {
    const conversation = await conversationWith(guest, manifest, options, settings);
    const answer = await askOnce(conversation, prompt, settings, context, options.json);
    const code = await guest.close();
    if (options.json) {
      const { processors } = options;
      const facts = {
        model: manifest.model.name,
        stack: manifest.stack,
        machine: machineOf(manifest, options),
        processors,
        context,
      };
      process.stdout.write(await answerAsJson(answer, settings, guest, facts));
    } else {
      sayDim(describeReport(answer.report));
      if (options.timeline)
        process.stderr.write(
          `${describeBoot(guest.timeline, answer.report, machineOf(manifest, options))}\n`,
        );
    }
    if (code !== 0)
      throw new Error(`the machine did not power off cleanly (QEMU: ${code ?? 'killed'})`);
  } finally {
    await guest.close();
  }
}

/** Firmware needs a PC's chipset. */
function machineOf(manifest: Manifest, options: BootOptions): string {
  const { machine, firmware = usualFirmware(manifest) } = options;
  return firmware === 'none' ? machine : `q35, ${firmware}`;
}
