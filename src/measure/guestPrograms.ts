/** The guest programs behind `mu perplexity`: one encodes a text, one evaluates tokens; both run as processes. */
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import type { Constant, Constants } from '../compiler/index.ts';
import { type PackRequest, type PreparedPack, preparePack } from '../stacks/prepare.ts';
import { killChild, startChild } from '../toolchain/children.ts';
import { compileGuest } from '../toolchain/guest.ts';
import { createGuestEvaluator } from './guestEvaluator.ts';
import type { Evaluator } from './perplexity.ts';

/** The pack of the model, with room for `positions`; by default the one that `mu run` uses too. */
export async function packFor(request: PackRequest, positions: number): Promise<PreparedPack> {
  const usual = await preparePack(request);
  if (usual.plan.context >= positions) return usual;
  return preparePack({ ...request, context: positions });
}

/** The token that begins every chunk, if the model wants one. */
export function startTokenOf({ constants }: PreparedPack): number | undefined {
  return plainValue(constants.TOKENIZER_ADD_BOS)
    ? Number(plainValue(constants.TOKEN_BOS))
    : undefined;
}

/** The text's tokens, the start token first if the model wants one; control tokens spelt out in it stay text. */
export async function encodeText(pack: PreparedPack, text: Uint8Array): Promise<Int32Array> {
  // A power of two, so that texts of like size share one compiled program.
  const room = 2 ** Math.ceil(Math.log2(Math.max(text.length, 1 << 16)));
  const constants: Constants = {
    ...pack.constants,
    TOKENIZER_MAX_TEXT: { type: 'i32', value: room },
  };
  const { elf } = await compileGuest({ machine: 'process', app: 'encode', constants });
  const child = startChild(elf, [pack.path, '1']);
  child.stdin.on('error', () => {}); // a guest that ends early: its exit code tells
  child.stdin.end(text);
  const ended = once(child, 'close');
  const output = await buffer(child.stdout);
  const [code] = await ended;
  if (code !== 0 || output.length % 4 !== 0) {
    throw new Error(
      `the guest could not encode the text: exit code ${code}: ${output.toString('latin1', 0, 200)}`,
    );
  }
  return Int32Array.from({ length: output.length / 4 }, (_, i) => output.readInt32LE(4 * i));
}

/** Runs `use` with an evaluator and ends its process afterwards. */
export async function withEvaluator<T>(
  pack: PreparedPack,
  threads: number,
  use: (evaluator: Evaluator) => Promise<T>,
): Promise<T> {
  const { constants } = pack;
  const { elf } = await compileGuest({ machine: 'process', app: 'evaluate', constants });
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
function plainValue(constant: Constant): unknown {
  const hasType = typeof constant === 'object' && 'value' in constant;
  return hasType ? constant.value : constant;
}
