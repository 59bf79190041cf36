import { createInterface, type Interface } from 'node:readline';
import type { Command } from 'commander';
import type { Settings } from '../console/settings.ts';
import { engineNamed } from '../stacks/engine.ts';
import { endProcess, startProcess } from '../stacks/process.ts';
import { ensureTools } from '../toolchain/install.ts';
import { answerLine, requireTemplate } from './answer.ts';
import { type Conversation, startConversation, today } from './conversation.ts';
import {
  CHAT_OPTIONS,
  type ChatOptions,
  DEFAULT_MODEL,
  MODEL_HELP,
  MODEL_OPTIONS,
  type ModelOptions,
  requestPack,
} from './modelOptions.ts';
import { addOptions } from './options.ts';
import { readLines } from './prompt.ts';
import { SAMPLING, type SamplingOptions, settingsOf } from './sampling.ts';
import { say, sayDim } from './terminal.ts';

interface ChatCommandOptions extends SamplingOptions, ModelOptions, ChatOptions {
  threads?: number;
  ctxShift?: boolean;
}

export function configure(command: Command): void {
  command.argument('[model]', MODEL_HELP, DEFAULT_MODEL);
  addOptions(command, 'threads', 'ctxShift', ...CHAT_OPTIONS, ...SAMPLING, ...MODEL_OPTIONS);
  command.action(chat);
}

async function chat(model: string, options: ChatCommandOptions): Promise<void> {
  const settings = settingsOf(options);
  const engine = engineNamed();
  ensureTools(engine.tools, say);
  const request = await requestPack(model, options);
  const { checked, cpu, threads, ctxShift } = options;
  const own = { checked, cpu, ctxShift };
  const { pack, guest } = await engine.prepare({ ...request, machine: 'process', ...own });
  requireTemplate(pack.model, settings);
  const running = startProcess({ elf: guest.elf, pack: pack.path, threads });
  try {
    await running.ready();
    const { context } = pack.plan;
    if (process.stdin.isTTY)
      sayDim(`${pack.model.name} · ${context} positions · /reset forgets, /exit leaves`);
    if (!pack.model.hasChatTemplate) sayDim('This model has no chat template: it continues text.');
    const asked = { ...options, date: options.date ?? today() };
    const conversation = await startConversation(running, pack.model, settings, asked);
    await converse(new Questions(conversation, settings, context));
  } finally {
    await endProcess(running, pack.path);
  }
}

/** Takes lines, each a question or a command. */
class Questions {
  #conversation: Conversation;
  #settings: Settings;
  #context: number;
  #answering: AbortController | null = null;

  constructor(conversation: Conversation, settings: Settings, context: number) {
    this.#conversation = conversation;
    this.#settings = settings;
    this.#context = context;
  }

  /** False: it is over. */
  async take(line: Uint8Array): Promise<boolean> {
    const command = Buffer.from(line).toString('latin1').trim();
    if (command === '/exit') return false;
    if (command === '/reset') {
      this.#conversation.forget();
      sayDim('forgotten');
    } else if (line.length > 0) {
      this.#answering = new AbortController();
      const { signal } = this.#answering;
      await answerLine(this.#conversation, line, this.#settings, this.#context, signal);
      this.#answering = null;
    }
    return true;
  }

  /** Stops the answer; false if none is being written. */
  stop(): boolean {
    this.#answering?.abort();
    return this.#answering !== null;
  }
}

/** Questions from standard input, line by line, until its end, /exit, or Ctrl-C at the prompt. */
async function converse(questions: Questions): Promise<void> {
  if (!process.stdin.isTTY) {
    for await (const line of readLines(process.stdin)) if (!(await questions.take(line))) break;
    return;
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr, prompt: '> ' });
  // readline reads Ctrl-C as a key; where there is no terminal it arrives as a signal, which ends
  // us.
  lines.on('SIGINT', () => {
    if (!questions.stop()) lines.close();
  });
  lines.prompt();
  for await (const line of typedLines(lines)) {
    if (!(await questions.take(Buffer.from(line)))) break;
    lines.prompt();
  }
  lines.close();
}

/** Lines as they were typed, also those that came while an answer was written. */
async function* typedLines(lines: Interface): AsyncGenerator<string> {
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
