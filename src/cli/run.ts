import type { Command } from 'commander';
import { engineNamed } from '../stacks/engine.ts';
import { defaultThreads, endProcess, startProcess } from '../stacks/process.ts';
import { ensureTools } from '../toolchain/install.ts';
import { answerAsJson, askOnce, requireTemplate } from './answer.ts';
import { startConversation, today } from './conversation.ts';
import {
  CHAT_OPTIONS,
  type ChatOptions,
  MODEL_HELP,
  MODEL_OPTIONS,
  type ModelOptions,
  requestPack,
} from './modelOptions.ts';
import { addOptions, option } from './options.ts';
import { readPrompt } from './prompt.ts';
import { SAMPLING, type SamplingOptions, settingsOf } from './sampling.ts';
import { describeReport, say, sayDim } from './terminal.ts';

interface RunOptions extends SamplingOptions, ModelOptions, ChatOptions {
  prompt: string;
  threads?: number;
  ctxShift?: boolean;
}

export function configure(command: Command): void {
  command.argument('<model>', MODEL_HELP).addOption(option('prompt').makeOptionMandatory());
  addOptions(
    command,
    'threads',
    'json',
    'ctxShift',
    ...CHAT_OPTIONS,
    ...SAMPLING,
    ...MODEL_OPTIONS,
  );
  command.action(run);
}

async function run(model: string, options: RunOptions): Promise<void> {
  const settings = settingsOf(options);
  const prompt = await readPrompt(options.prompt);
  const engine = engineNamed();
  ensureTools(engine.tools, say);
  const request = await requestPack(model, options);
  const { pack, guest } = await engine.prepare({
    ...request,
    machine: 'process',
    checked: options.checked,
    cpu: options.cpu,
    ctxShift: options.ctxShift,
  });
  requireTemplate(pack.model, settings);
  const { context } = pack.plan;
  const threads = options.threads ?? defaultThreads();
  const running = startProcess({ elf: guest.elf, pack: pack.path, threads });
  try {
    const { date = today() } = options;
    const asked = { ...options, date };
    const conversation = await startConversation(running, pack.model, settings, asked);
    const answer = await askOnce(conversation, prompt, settings, context, options.json);
    if (options.json) {
      const facts = { model: pack.model.name, stack: 'process', threads, context };
      process.stdout.write(await answerAsJson(answer, settings, running, facts));
    } else {
      sayDim(describeReport(answer.report));
    }
  } finally {
    await endProcess(running, pack.path);
  }
}
