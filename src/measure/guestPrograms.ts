/**
 * What is measured of a model: its pack, its tokenizer, and guest/apps/evaluate.ts as a process.
 */
import type { Constant } from '../compiler/index.ts';
import { loadTokenizer } from '../model/hostTokenizer.ts';
import { openModel } from '../model/index.ts';
import { type PackRequest, type PreparedPack, preparePack } from '../stacks/prepare.ts';
import { requireProcesses } from '../stacks/process.ts';
import { killChild, startChild } from '../toolchain/children.ts';
import { compileGuest } from '../toolchain/guest.ts';
import type { VariantName } from '../toolchain/variants.ts';
import { createGuestEvaluator } from './guestEvaluator.ts';
import type { Evaluator } from './perplexity.ts';

/** The pack of the model, with room for `positions`; by default the one that `mu run` uses too. */
export async function packFor(request: PackRequest, positions: number): Promise<PreparedPack> {
  const usual = await preparePack(request);
  const { longRopeFrom = Number.POSITIVE_INFINITY } = usual.model;
  const [isLong, hasToBeLong] = [usual.plan.context, positions].map((n) => n > longRopeFrom);
  if (usual.plan.context >= positions && isLong === hasToBeLong) return usual;
  return preparePack({ ...request, context: positions });
}

/** The token that begins every chunk, if the model wants one. */
export function startTokenOf({ constants }: PreparedPack): number | undefined {
  return plainValue(constants.TOKENIZER_ADD_BOS)
    ? Number(plainValue(constants.TOKEN_BOS))
    : undefined;
}

/**
 * The text's tokens, the start token first if the model wants one; control tokens spelt out in it
 * stay text.
 */
export async function encodeText(request: PackRequest, text: Uint8Array): Promise<Int32Array> {
  // A power of two, so that texts of like size share one compiled tokenizer.
  const maxText = 2 ** Math.ceil(Math.log2(Math.max(text.length, 1 << 20)));
  const model = await openModel(request.model, { tokenizer: request.tokenizer });
  try {
    const tokenizer = await loadTokenizer(model, { maxText });
    return Int32Array.from(tokenizer.encode(text));
  } finally {
    await model.close();
  }
}

/** Runs `use` with an evaluator and ends its process afterwards. cpu: as in compileGuest. */
export async function withEvaluator<T>(
  pack: PreparedPack,
  threads: number,
  use: (evaluator: Evaluator) => Promise<T>,
  cpu?: VariantName,
): Promise<T> {
  requireProcesses();
  const { constants } = pack;
  const { elf } = await compileGuest({ machine: 'process', app: 'evaluate', constants, cpu });
  const child = startChild(elf, [pack.path, String(threads)]);
  child.stdin.on('error', () => {});
  try {
    const wire = { input: child.stdin, output: child.stdout };
    return await use(createGuestEvaluator(wire, pack.model.vocabulary));
  } finally {
    killChild(child);
  }
}

/** A constant's value, with or without a type beside it. */
export function plainValue(constant: Constant): unknown {
  const hasType = typeof constant === 'object' && 'value' in constant;
  return hasType ? constant.value : constant;
}
