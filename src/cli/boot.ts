import { type Command, Option } from 'commander';
import type { Guest, GuestSettings } from '../console/guest.ts';
import { bootStack, usualFirmware } from '../stacks/index.ts';
import { checkFiles, type Manifest, readManifest } from '../stacks/manifest.ts';
import { ensureTools } from '../toolchain/install.ts';
import {
  FIRMWARES,
  type Firmware,
  MEDIA,
  type Medium,
  QEMU_MACHINES,
  type QemuMachine,
} from '../toolchain/qemu.ts';
import { answerAsJson, askOnce } from './answer.ts';
import { attachConsole, attachShell } from './attach.ts';
import { readPrompt } from './prompt.ts';
import { addSampling, integer, type SamplingOptions, settingsOf } from './sampling.ts';
import { describeReport, say, sayDim } from './terminal.ts';
import { describeBoot } from './timeline.ts';

interface BootOptions extends SamplingOptions {
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
    .option('-p, --prompt <text>', 'ask once, then power off; -: read it from standard input')
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
    .option('-t, --threads <count>', 'virtual processors', integer(1, 64), 1)
    .option('--timeline', 'with -p: print when QEMU started, the guest was ready, and so on')
    .option('--json', 'with -p: print one JSON object instead of text');
  addSampling(command).action((folder, { threads, ...options }) =>
    boot(folder, { ...options, processors: threads }),
  );
}

async function boot(folder: string, options: BootOptions): Promise<void> {
  const manifest = await readManifest(folder);
  await checkFiles(folder, manifest);
  const firmware = options.firmware ?? usualFirmware(manifest);
  ensureTools(['qemu', ...(firmware === 'uefi' ? (['ovmf'] as const) : [])], say);
  if (options.prompt !== undefined && options.shell)
    throw new Error('a shell takes no prompt (-p)');
  if (options.prompt === undefined) {
    if (options.json) throw new Error('--json needs a prompt (-p)');
    if (options.timeline) throw new Error('--timeline needs a prompt (-p)');
    const attach = options.shell ? attachShell : attachConsole;
    await attach((settings) => start(folder, manifest, options, settings));
  } else {
    await askMachine(folder, manifest, options, await readPrompt(options.prompt));
  }
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
  prompt: string,
): Promise<void> {
  const settings = settingsOf(options);
  const onConsole = (bytes: Uint8Array) => process.stderr.write(bytes);
  const guest = start(folder, manifest, options, { onConsole });
  try {
    const answer = await askOnce(guest, prompt, settings, options.json);
    const code = await guest.close();
    if (options.json) {
      const { processors } = options;
      const { context } = manifest.options;
      const facts = {
        model: manifest.model.name,
        stack: manifest.stack,
        machine: machineOf(manifest, options),
        processors,
        context,
      };
      process.stdout.write(answerAsJson(answer, settings, guest, facts));
    } else {
      sayDim(describeReport(answer.report));
      if (options.timeline)
        say(describeBoot(guest.timeline, answer.report, machineOf(manifest, options)));
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
