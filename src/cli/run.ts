import type { Command } from 'commander';
import { prepareGuest } from '../stacks/prepare.ts';
import { defaultThreads, endProcess, startProcess } from '../stacks/process.ts';
import { ensureTools } from '../toolchain/install.ts';
import { answerAsJson, askOnce } from './answer.ts';
import { addModelOptions, MODEL_HELP, type ModelOptions, requestPack } from './modelOptions.ts';
import { readPrompt } from './prompt.ts';
import { addSampling, integer, type SamplingOptions, settingsOf } from './sampling.ts';
import { describeReport, say, sayDim } from './terminal.ts';

interface RunOptions extends SamplingOptions, ModelOptions {
  prompt: string;
  threads?: number;
}

export function configure(command: Command): void {
  command
    .argument('<model>', MODEL_HELP)
    .requiredOption('-p, --prompt <text>', 'the prompt; -: read it from standard input')
    .option('-t, --threads <count>', 'threads (default: one per processor)', integer(1, 64))
    .option('--json', 'print one JSON object instead of text');
  addModelOptions(addSampling(command)).action(run);
}

async function run(model: string, options: RunOptions): Promise<void> {
  const settings = settingsOf(options);
  const prompt = await readPrompt(options.prompt);
  ensureTools(['clang', 'lld'], say);
  const request = await requestPack(model, options);
  const { pack, guest } = await prepareGuest({
    ...request,
    machine: 'process',
    checked: options.checked,
    cpu: options.cpu,
  });
  const threads = options.threads ?? defaultThreads();
  const running = startProcess({ elf: guest.elf, pack: pack.path, threads });
  try {
    const answer = await askOnce(running, prompt, settings, options.json);
    if (options.json) {
      const facts = {
        model: pack.model.name,
        stack: 'process',
        threads,
        context: pack.plan.context,
      };
      process.stdout.write(answerAsJson(answer, settings, running, facts));
    } else {
      sayDim(describeReport(answer.report));
    }
  } finally {
    await endProcess(running, pack.path);
  }
}
