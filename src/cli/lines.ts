import { Argument, type Command } from 'commander';
import { countStack, type LayerLines, type StackLines } from '../measure/stackLines.ts';
import { STACK_NAMES, stackNamed } from '../stacks/index.ts';
import type { StackName } from '../stacks/manifest.ts';
import { preparePack } from '../stacks/prepare.ts';
import { ensureTools } from '../toolchain/install.ts';
import { formatColumns } from './columns.ts';
import { requestPack } from './modelOptions.ts';
import { createProgress, say } from './terminal.ts';

interface LinesOptions {
  model?: string;
  tokenizer?: string;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .addArgument(new Argument('<stack>', 'which one').choices(STACK_NAMES))
    .option(
      '--model <model>',
      'count too what of the guest is in the image of this model, and the C that it becomes',
    )
    .option('--tokenizer <file>', 'tokenizer.bin of a llama2.c checkpoint')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nA line of code is neither blank nor comment. Counted is what was compiled: a kernel or BusyBox that is not in' +
        '\nthe cache yet is built first. With --model, `in image` counts only the functions, structs, constants, tables, variables and' +
        '\nassembly that the compiler writes for that model; clang and the linker may drop more.',
    )
    .action(lines);
}

async function lines(stack: StackName, options: LinesOptions): Promise<void> {
  ensureTools(stackNamed(stack).tools, say);
  const progress = createProgress();
  const { model, tokenizer } = options;
  const pack = model && (await preparePack(await requestPack(model, { tokenizer })));
  const onProgress = (done: number, total: number, what: string) =>
    progress.update(done, total, what, String);
  const counted = await countStack(stack, onProgress, pack ? pack.constants : undefined);
  progress.end();
  process.stdout.write(
    options.json ? `${JSON.stringify(counted, null, 2)}\n` : `${asText(counted)}\n`,
  );
}

function asText({ stack, layers, guest, total, budget, generatedC }: StackLines): string {
  const count = (value?: number | null) =>
    value === undefined ? '' : value === null ? '?' : value.toLocaleString('en');
  const hasModel = guest.reached !== undefined;
  const row = (...cells: string[]) => (hasModel ? cells : cells.slice(0, 4));
  const rowOf = ({ layer, files, all, code, reached }: LayerLines) =>
    row(layer, count(files), count(all), count(code), count(reached));
  const isGuest = ({ layer }: LayerLines) => layer.startsWith('guest/');
  const table = formatColumns([
    row(stack, 'files', 'all lines', 'code', 'in image'),
    ...layers.filter(isGuest).map(rowOf),
    row('guest in all', '', '', count(guest.code), count(guest.reached)),
    ...layers.filter((layer) => !isGuest(layer)).map(rowOf),
    row('in all', '', '', count(total), ''),
    row('budget', '', '', count(budget), ''),
    ...(total > budget ? [row('over it', '', '', count(total - budget), '')] : []),
  ]);
  const notes = layers
    .filter((layer) => !isGuest(layer))
    .map(({ layer, counted }) => `${layer}: ${counted}`);
  if (hasModel) {
    notes.push('in image: declarations that the compiler writes for this model');
    notes.push(`The guest becomes ${count(generatedC)} lines of C, which nobody wrote: in no sum.`);
  }
  return [table, '', ...notes].join('\n');
}
