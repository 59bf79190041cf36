import { createInterface, type Interface } from 'node:readline';
import type { Command } from 'commander';
import type { Guest } from '../console/guest.ts';
import type { Settings } from '../console/settings.ts';
import { prepareGuest } from '../stacks/prepare.ts';
import { endProcess, startProcess } from '../stacks/process.ts';
import { ensureTools } from '../toolchain/install.ts';
import { requireAnswer } from './answer.ts';
import {
  addModelOptions,
  DEFAULT_MODEL,
  MODEL_HELP,
  type ModelOptions,
  requestPack,
} from './modelOptions.ts';
import { addSampling, integer, type SamplingOptions, settingsOf } from './sampling.ts';
import { createTextStream, describeReport, say, sayDim } from './terminal.ts';

interface ChatOptions extends SamplingOptions, ModelOptions {
  threads?: number;
}

export function configure(command: Command): void {
  command
    .argument('[model]', MODEL_HELP, DEFAULT_MODEL)
    .option('-t, --threads <count>', 'threads (default: one per processor)', integer(1, 64));
  addModelOptions(addSampling(command)).action(chat);
}

async function chat(model: string, options: ChatOptions): Promise<void> {
  ensureTools(['clang', 'lld'], say);
  const request = await requestPack(model, options);
  const { checked, cpu, threads } = options;
  const { pack, guest } = await prepareGuest({ ...request, machine: 'process', checked, cpu });
  const running = startProcess({ elf: guest.elf, pack: pack.path, threads });
  try {
    await running.ready();
    if (process.stdin.isTTY) {
      sayDim(`${pack.model.name} · ${pack.plan.context} positions · /reset forgets, /exit leaves`);
      if (!pack.model.hasChatTemplate)
        sayDim('This model has no chat template: it continues text.');
    }
    await converse(running, settingsOf(options));
  } finally {
    await endProcess(running, pack.path);
  }
}

/** Questions from standard input, line by line, until its end, /exit, or Ctrl-C at the prompt. */
async function converse(guest: Guest, settings: Settings): Promise<void> {
  const isTerminal = process.stdin.isTTY;
  const lines = createInterface({
    input: process.stdin,
    output: isTerminal ? process.stderr : undefined,
    prompt: '> ',
  });
  let answering: AbortController | null = null;
  // At a terminal readline reads Ctrl-C as a key; elsewhere it arrives as a signal, which ends us.
  lines.on('SIGINT', () => {
    if (answering) answering.abort();
    else lines.close();
  });
  let forget = false;
  if (isTerminal) lines.prompt();
  for await (const line of questions(lines)) {
    const question = line.trim();
    if (question === '/exit') break;
    if (question === '/reset') {
      forget = true;
      sayDim('forgotten');
    } else if (question !== '') {
      answering = new AbortController();
      await answerQuestion(guest, question, { ...settings, forget }, answering.signal);
      answering = null;
      forget = false;
    }
    if (isTerminal) lines.prompt();
  }
  lines.close();
}

/** Lines as they were typed, also those that came while an answer was written. */
async function* questions(lines: Interface): AsyncGenerator<string> {
  const typed: string[] = [];
  let isClosed = false;
  let wake = () => {};
  lines.on('line', (line) => {
    typed.push(line);
    wake();
  });
  lines.on('close', () => {
    isClosed = true;
    wake();
  });
  for (;;) {
    const line = typed.shift();
    if (line !== undefined) yield line;
    else if (isClosed) return;
    else {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
}

async function answerQuestion(
  guest: Guest,
  question: string,
  settings: Settings,
  signal: AbortSignal,
): Promise<void> {
  const output = createTextStream(process.stdout);
  const answer = await guest.ask(question, settings, { onBytes: output.write, signal });
  output.end();
  process.stdout.write('\n');
  if (answer.report.stop === 'promptTooLong') {
    sayDim('The conversation is too long for the context: /reset forgets it.');
    return;
  }
  requireAnswer(answer);
  sayDim(describeReport(answer.report));
}
