import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import type { Answer } from '../console/guest.ts';
import {
  addCounts,
  countByLayer,
  countFolder,
  countLines,
  type LineCount,
} from '../lines/count.ts';
import { engineNamed } from '../stacks/engine.ts';
import { bootStack, buildStack } from '../stacks/index.ts';
import { defaultThreads } from '../stacks/process.ts';
import type { StackBuild } from '../stacks/stack.ts';
import { cacheFolder, PROJECT_ROOT } from '../toolchain/cache.ts';
import { guestFiles } from '../toolchain/guest.ts';
import { ensureTools } from '../toolchain/install.ts';
import { QEMU_MACHINES, type QemuMachine } from '../toolchain/qemu.ts';
import { askOnce, requireTemplate } from './answer.ts';
import { startConversation } from './conversation.ts';
import { DEFAULT_MODEL, requestPack } from './modelOptions.ts';
import { MOST_PROCESSORS, option } from './options.ts';
import { readPrompt } from './prompt.ts';
import { settingsOf } from './sampling.ts';
import { bold, formatBytes, formatMemory, say, tokensPerSecond } from './terminal.ts';
import { describeBoot, table } from './timeline.ts';

interface DemoOptions {
  prompt: string;
  predict: number;
  machine: QemuMachine;
}

export function configure(command: Command): void {
  command
    .addOption(
      option('prompt', {
        help: 'what to ask; -: read it from standard input',
        default: 'Why is the sky blue?',
      }),
    )
    .addOption(option('predict', { default: 100 }))
    .addOption(
      new Option('-M, --machine <name>', 'QEMU machine').choices(QEMU_MACHINES).default('microvm'),
    )
    .action(demo);
}

async function demo({ prompt: given, predict, machine }: DemoOptions): Promise<void> {
  const prompt = await readPrompt(given);
  const settings = settingsOf({ ...GREEDY, predict });
  ensureTools([...engineNamed().tools, 'qemu'], say);
  const request = await requestPack(DEFAULT_MODEL, {});
  say(`building ${DEFAULT_MODEL} as a unikernel`);
  const folder = cacheFolder('demo');
  const build = await buildStack('unikernel', request, folder);
  const { manifest } = build;
  requireTemplate(manifest.model, settings);

  say(`booting it in QEMU (${machine}): no operating system, no disk, no network`);
  say('every instruction is emulated, so the first word takes a while\n');
  process.stdout.write(`${bold(`> ${Buffer.from(prompt)}`)}\n`);
  const processors = Math.min(defaultThreads(), MOST_PROCESSORS.unikernel);
  const guest = bootStack({ folder, manifest, machine, processors });
  let answer: Answer;
  try {
    const conversation = await startConversation(guest, manifest.model, settings);
    answer = await askOnce(conversation, prompt, settings, manifest.options.context);
  } finally {
    await guest.close();
  }
  const report = [
    describeBoot(guest.timeline, answer.report, machine),
    describeSpeed(answer, processors),
    describeSizes(build),
    await describeLines(build),
  ];
  process.stdout.write(`\n${report.join('\n\n')}\n`);
}

/** Greedy: the same answer on every machine; the other values do nothing then. */
const GREEDY = {
  temp: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  repeatPenalty: 1,
  repeatLastN: 0,
  seed: 0n,
};

function describeSpeed({ report }: Answer, processors: number): string {
  const rate = (tokens: number, nanos: bigint) =>
    `${tokens} tokens, ${tokensPerSecond(tokens, nanos).toFixed(1)} tokens/s`;
  const virtual = processors === 1 ? 'one virtual processor' : `${processors} virtual processors`;
  return table(`Speed, emulated on ${virtual} (natively: mu chat)`, [
    ['prompt', rate(report.promptTokens, report.promptNanos)],
    ['answer', rate(report.generatedTokens, report.generateNanos)],
  ]);
}

function describeSizes({ manifest: { files, memory, options } }: StackBuild): string {
  return table('Sizes', [
    ...files.map(({ name, bytes }): [string, string] => [name, formatBytes(bytes)]),
    [`RAM, with ${options.context} positions of context`, formatMemory(memory.total)],
  ]);
}

/** What ran: the guest's TypeScript by layer, the C it became, and the compiler that did it. */
async function describeLines({ prepared }: StackBuild): Promise<string> {
  const guest = join(PROJECT_ROOT, 'guest');
  const layers = countByLayer(guestFiles('pc', 'chat'), guest);
  const all = [...layers.values()].reduce(addCounts);
  const units = prepared.guest.c.map(async (path) => countLines(await readFile(path, 'utf8')));
  const c = (await Promise.all(units)).reduce(addCounts);
  const compiler = countFolder(join(PROJECT_ROOT, 'src/compiler'));
  const row = (what: string, { code, all, files }: LineCount): [string, string] => [
    what,
    `${code.toLocaleString('en')} (${all.toLocaleString('en')} with comments, ${files} ${files === 1 ? 'file' : 'files'})`,
  ];
  return table('Lines of code of what just ran', [
    ...[...layers].map(([layer, count]) => row(`guest/${layer}`, count)),
    row('guest TypeScript in all', all),
    row('the C it became', c),
    row('the compiler (on the host)', compiler),
  ]);
}
