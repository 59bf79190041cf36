/** What the commands that take a MODEL have in common. */
import { type Command, Option } from 'commander';
import type { TransferOptions } from '../pull/download.ts';
import { findModel, knownModels, resolveModel } from '../pull/models.ts';
import type { PackRequest } from '../stacks/prepare.ts';
import { ensureTools } from '../toolchain/install.ts';
import { VARIANT_NAMES, type VariantName } from '../toolchain/variants.ts';
import { integer } from './sampling.ts';
import { createProgress, Interrupted, say } from './terminal.ts';

export const MODEL_HELP = 'path of a model (GGUF or llama2.c), or a name that `mu pull` knows';
export const DEFAULT_MODEL = 'smollm2-135m-instruct';

export interface ModelOptions {
  ctxSize?: number;
  tokenizer?: string;
  checked?: boolean;
  cpu?: VariantName;
}

export function addModelOptions(command: Command): Command {
  return command
    .option('-c, --ctx-size <positions>', 'positions of the context', integer(0))
    .option('--tokenizer <file>', 'tokenizer.bin of a llama2.c checkpoint')
    .addOption(cpuOption())
    .addOption(new Option('--checked', 'trap on out-of-bounds, null and lossy casts'));
}

export function cpuOption(): Option {
  const help = 'only code of this CPU variant (default: the best that the CPU has)';
  return new Option('--cpu <variant>', help).choices(VARIANT_NAMES);
}

/** Path or name → what a pack is made from; downloads a model that is known but not there. */
export async function requestPack(model: string, options: ModelOptions): Promise<PackRequest> {
  const progress = createProgress();
  return {
    model: await obtainModel(model, progress),
    tokenizer: options.tokenizer,
    // llama.cpp's 0 stands for the model's own size; so does leaving it out, within reason.
    context: options.ctxSize || undefined,
    onProgress: (written, total) => {
      progress.update(written, total, 'packing');
      if (written === total) progress.end();
    },
  };
}

/** Path of the model that a person means; one that is not there yet is fetched. */
export async function obtainModel(model: string, progress = createProgress()): Promise<string> {
  const isKnown = Object.hasOwn(knownModels, model.toLowerCase());
  const isToBePulled = isKnown && !(await findModel(model));
  if (isToBePulled) ensureTools(['python', 'pip'], say);
  return transfer(model, (options) => resolveModel(model, options), progress);
}

/** Fetches something, with progress on stderr. Ctrl-C stops the transfer, and what has arrived stays for the next time. */
export async function transfer(
  what: string,
  fetch: (options: TransferOptions) => Promise<string>,
  progress = createProgress(),
): Promise<string> {
  const abort = new AbortController();
  const stop = () =>
    abort.abort(new Interrupted(`${what}: stopped; the next try goes on from here`));
  process.once('SIGINT', stop);
  try {
    return await fetch({ onProgress: progress.update, signal: abort.signal });
  } finally {
    process.removeListener('SIGINT', stop);
    progress.end();
  }
}
