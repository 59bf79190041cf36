import { readFile } from 'node:fs/promises';
import { Argument, type Command } from 'commander';
import { countLines } from '../lines/count.ts';
import { countStack, MACHINES, type StackLines } from '../measure/stackLines.ts';
import { STACK_NAMES, stackNamed } from '../stacks/index.ts';
import type { StackName } from '../stacks/manifest.ts';
import { prepareGuest } from '../stacks/prepare.ts';
import { ensureTools } from '../toolchain/install.ts';
import { formatColumns } from './columns.ts';
import { requestPack } from './modelOptions.ts';
import { createProgress, say } from './terminal.ts';

interface LinesOptions {
  model?: string;
  tokenizer?: string;
  json?: boolean;
}

/** What was counted, and the lines of C that the guest becomes for one model. */
type Counted = StackLines & { generatedC?: number };

export function configure(command: Command): void {
  command
    .addArgument(new Argument('<stack>', 'which one').choices(STACK_NAMES))
    .option('--model <model>', 'count the C too that the guest becomes for this model')
    .option('--tokenizer <file>', 'tokenizer.bin of a llama2.c checkpoint')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nA line of code is neither blank nor comment. Counted is what was compiled: a kernel or BusyBox that is not in' +
        '\nthe cache yet is built first.',
    )
    .action(lines);
}

async function lines(stack: StackName, options: LinesOptions): Promise<void> {
  ensureTools(stackNamed(stack).tools, say);
  const progress = createProgress();
  const counted: Counted = await countStack(stack, (done, total, what) =>
    progress.update(done, total, what, String),
  );
  progress.end();
  if (options.model !== undefined) counted.generatedC = await countC(stack, options.model, options);
  process.stdout.write(
    options.json ? `${JSON.stringify(counted, null, 2)}\n` : `${asText(counted)}\n`,
  );
}

async function countC(stack: StackName, model: string, options: LinesOptions): Promise<number> {
  const request = await requestPack(model, { tokenizer: options.tokenizer });
  const { guest } = await prepareGuest({ ...request, machine: MACHINES[stack] });
  const units = await Promise.all(guest.c.map((path) => readFile(path, 'utf8')));
  return units.reduce((sum, c) => sum + countLines(c).code, 0);
}

function asText({ stack, layers, total, budget, generatedC }: Counted): string {
  const count = (value: number | null) => (value === null ? '?' : value.toLocaleString('en'));
  const table = formatColumns([
    [stack, 'files', 'all lines', 'code'],
    ...layers.map(({ layer, files, all, code }) => [layer, ...[files, all, code].map(count)]),
    ['in all', '', '', count(total)],
    ['budget', '', '', count(budget)],
    ...(total > budget ? [['over it', '', '', count(total - budget)]] : []),
  ]);
  const notes = layers
    .filter(({ layer }) => !layer.startsWith('guest/'))
    .map(({ layer, counted }) => `${layer}: ${counted}`);
  if (generatedC !== undefined) {
    notes.push(`The guest becomes ${count(generatedC)} lines of C, which nobody wrote: in no sum.`);
  }
  return [table, '', ...notes].join('\n');
}
