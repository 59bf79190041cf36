import { type Command, Option } from 'commander';
import type { Guest, GuestSettings } from '../console/guest.ts';
import { bootStack } from '../stacks/index.ts';
import { type Manifest, readManifest } from '../stacks/manifest.ts';
import { ensureTools } from '../toolchain/install.ts';
import { QEMU_MACHINES, type QemuMachine } from '../toolchain/qemu.ts';
import { answerAsJson, askOnce } from './answer.ts';
import { attachConsole } from './attach.ts';
import { readPrompt } from './prompt.ts';
import { addSampling, integer, type SamplingOptions, settingsOf } from './sampling.ts';
import { describeReport, say, sayDim } from './terminal.ts';
import { describeBoot } from './timeline.ts';

interface BootOptions extends SamplingOptions {
  prompt?: string;
  machine: QemuMachine;
  processors: number;
  timeline?: boolean;
}

export function registerBoot(program: Command): void {
  const command = program
    .command('boot')
    .description('boot a built image in QEMU')
    .argument('<folder>', 'what `mu build` wrote')
    .option('-p, --prompt <text>', 'ask once, then power off; -: read it from standard input')
    .addOption(
      new Option('-M, --machine <name>', 'QEMU machine').choices(QEMU_MACHINES).default('microvm'),
    )
    .option('-t, --threads <count>', 'virtual processors', integer(1, 64), 1)
    .option('--timeline', 'with -p: print when QEMU started, the guest was ready, and so on')
    .option('--json', 'with -p: print one JSON object instead of text');
  addSampling(command).action((folder, { threads, ...options }) =>
    boot(folder, { ...options, processors: threads }),
  );
}

async function boot(folder: string, options: BootOptions): Promise<void> {
  const manifest = await readManifest(folder);
  ensureTools(['qemu'], say);
  if (options.prompt === undefined) {
    if (options.json) throw new Error('--json needs a prompt (-p)');
    if (options.timeline) throw new Error('--timeline needs a prompt (-p)');
    await attachConsole((settings) => start(folder, manifest, options, settings));
  } else {
    await askMachine(folder, manifest, options, await readPrompt(options.prompt));
  }
}

function start(
  folder: string,
  manifest: Manifest,
  { machine, processors }: BootOptions,
  settings: GuestSettings,
): Guest {
  return bootStack({ folder, manifest, machine, processors }, settings);
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
      const { machine, processors } = options;
      const { context } = manifest.options;
      const facts = {
        model: manifest.model.name,
        stack: manifest.stack,
        machine,
        processors,
        context,
      };
      process.stdout.write(answerAsJson(answer, settings, guest, facts));
    } else {
      sayDim(describeReport(answer.report));
      if (options.timeline) say(describeBoot(guest.timeline, answer.report, options.machine));
    }
    if (code !== 0)
      throw new Error(`the machine did not power off cleanly (QEMU: ${code ?? 'killed'})`);
  } finally {
    await guest.close();
  }
}
