/** What the commands that take a MODEL have in common. */

import type { CacheType } from '../plan/sizes.ts';
import type { TransferOptions } from '../pull/download.ts';
import { findModel, isReference, knownModels, resolveModel } from '../pull/models.ts';
import type { PackRequest } from '../stacks/prepare.ts';
import { ensureTools } from '../toolchain/install.ts';
import type { VariantName } from '../toolchain/variants.ts';
import type { OptionName } from './options.ts';
import { createProgress, Interrupted, say } from './terminal.ts';

export const MODEL_HELP =
  'path of a model (GGUF, the first part of a split one, llama2.c), or what `mu pull` takes';
export const DEFAULT_MODEL = 'smollm2-135m-instruct';

export interface ModelOptions {
  ctxSize?: number;
  kv?: CacheType;
  tokenizer?: string;
  checked?: boolean;
  cpu?: VariantName;
}

/** What they take beside it. */
export const MODEL_OPTIONS = [
  'ctxSize',
  'kv',
  'tokenizer',
  'cpu',
  'checked',
] as const satisfies readonly OptionName[];

/** What the commands that chat, or make an image that does, take beside these. */
export interface ChatOptions {
  system?: string;
  thinking?: boolean;
  date?: string;
}

export const CHAT_OPTIONS = ['system', 'thinking', 'date'] as const satisfies readonly OptionName[];

/** Path or name → what a pack is made from; downloads a model that is known but not there. */
export async function requestPack(model: string, options: ModelOptions): Promise<PackRequest> {
  const progress = createProgress();
  return {
    model: await obtainModel(model, progress),
    tokenizer: options.tokenizer,
    context: options.ctxSize,
    kv: options.kv,
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
  const canRead = isReference(model) ? await knownTypes() : undefined;
  return transfer(model, (options) => resolveModel(model, { ...options, canRead }), progress);
}

/** Imported late: a model that is here needs no table of weight types. */
async function knownTypes(): Promise<(type: string) => boolean> {
  const { tensorTypes } = await import('../model/formats.ts');
  return (type) => tensorTypes.some((known) => known === type);
}

/**
 * Fetches something, with progress on stderr. Ctrl-C stops the transfer, and what has arrived stays
 * for the next time.
 */
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
    return await fetch({ onProgress: progress.update, say, signal: abort.signal });
  } finally {
    process.removeListener('SIGINT', stop);
    progress.end();
  }
}
