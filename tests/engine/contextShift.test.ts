/**
 * --ctx-shift: when a context is full, the older half of the conversation makes room, and the
 * answer goes on as that of a fresh conversation of the tokens that are left. The test plays it
 * with guest/apps/evaluate.ts, which begins anew for every token; how many tokens go is llama.cpp's
 * rule.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Guest } from '../../src/console/guest.ts';
import { DEFAULT_SETTINGS, type Settings } from '../../src/console/settings.ts';
import { packFor, withEvaluator } from '../../src/measure/guestPrograms.ts';
import type { Evaluator } from '../../src/measure/perplexity.ts';
import { type HostTokenizer, loadTokenizer } from '../../src/model/hostTokenizer.ts';
import { compileChat, type Model, openModel, type SegmentPart } from '../../src/model/index.ts';
import { put, temporaryFolder } from '../model/files.ts';
import { writeGguf } from '../model/ggufWriter.ts';
import { type TinyModel, tinyContent } from '../model/tinyGguf.ts';
import { answerTo, processVariant, withGuest } from './guests.ts';

/** Compiled quickly; tests/engine/parity.test.ts has what differs between them. */
const variant = processVariant('portable', true, 2);
const constants = { CONTEXT_SHIFT: true };
const greedy: Settings = { ...DEFAULT_SETTINGS, temperature: 0, hashLogits: true };
const raw: Settings = { ...greedy, raw: true };

const folder = temporaryFolder();
function tinyModel(name: string, shape: TinyModel, startToken: boolean): string {
  const content = tinyContent(shape);
  content.metadata['tokenizer.ggml.add_bos_token'] = { type: 'bool', value: startToken };
  return put(folder, `${name}.gguf`, writeGguf(content));
}

/**
 * Lines "context full, swapping" of llama.cpp 0.7.0 (Debian's build 11669): llama-completion -v
 * --context-shift with a model of tests/model/randomGguf.ts, -c 256 and 512, --keep 0, 1, 4 and -1.
 */
const LLAMA_CPP = [
  { past: 255, keep: 0, discard: 127 },
  { past: 255, keep: 1, discard: 127 },
  { past: 255, keep: 4, discard: 125 },
  { past: 255, keep: 34, discard: 110 },
  { past: 511, keep: 0, discard: 255 },
  { past: 511, keep: 1, discard: 255 },
  { past: 511, keep: 4, discard: 253 },
  { past: 511, keep: 34, discard: 238 },
];
const discardOf = (past: number, keep: number) => Math.floor((past - keep) / 2);

test('as many tokens go as llama.cpp discards', () => {
  for (const { past, keep, discard } of LLAMA_CPP) expect(discardOf(past, keep)).toBe(discard);
});

const FNV_PRIME = 0x100000001b3n;
const hashWords = (hash: bigint, words: Iterable<number>) => {
  let result = hash;
  for (const word of words) result = BigInt.asUintN(64, (result ^ BigInt(word)) * FNV_PRIME);
  return result;
};

/** A conversation, every token of whose answers comes from a fresh evaluation of what is left. */
class Conversation {
  readonly #evaluator: Evaluator;
  readonly #context: number;
  readonly #end: readonly number[];
  readonly #keep: number;
  #tokens: number[] = [];
  #shifts = 0;

  constructor(evaluator: Evaluator, context: number, { tokenizer }: Model, keep: number) {
    this.#evaluator = evaluator;
    this.#context = context;
    this.#end = tokenizer.end;
    this.#keep = keep;
  }

  get isEmpty(): boolean {
    return this.#tokens.length === 0;
  }

  /** What the guest must report. */
  async answer(prompt: number[], predict: number) {
    this.#shifts = 0;
    let end = this.#tokens.length;
    this.#tokens.push(...prompt);
    if (Math.min(end, this.#keep) + prompt.length > this.#context) {
      this.#tokens.splice(end);
      return { stop: 'promptTooLong', contextUsed: end, shifts: 0 };
    }
    while (this.#tokens.length > this.#context) end -= this.#shift(end);
    let [tokensHash, logitsHash] = [0xcbf29ce484222325n, 0xcbf29ce484222325n];
    let generatedTokens = 0;
    let stop = 'limit';
    while (generatedTokens < predict) {
      const logits = await this.#logits();
      logitsHash = hashWords(logitsHash, new Uint32Array(logits.buffer));
      const token = logits.indexOf(logits.reduce((a, b) => Math.max(a, b)));
      tokensHash = hashWords(tokensHash, [token]);
      if (this.#end.includes(token)) {
        stop = 'end';
        break;
      }
      if (this.#tokens.length === this.#context) this.#shift(this.#context);
      this.#tokens.push(token);
      generatedTokens++;
    }
    return {
      ...{ stop, promptTokens: prompt.length, generatedTokens, tokensHash, logitsHash },
      ...{ contextUsed: this.#tokens.length, shifts: this.#shifts },
    };
  }

  #shift(end: number): number {
    const count = Math.max(discardOf(end, this.#keep), 1);
    this.#tokens.splice(this.#keep, count);
    this.#shifts++;
    return count;
  }

  async #logits(): Promise<Float32Array> {
    const tokens = Int32Array.from(this.#tokens);
    for await (const logits of this.#evaluator.evaluate(tokens, tokens.length - 1)) return logits;
    throw new Error('no logits');
  }
}

/** Opens a model, its tokenizer and an evaluator of a context. */
async function withModel<T>(
  path: string,
  context: number,
  use: (model: Model, tokenizer: HostTokenizer, evaluator: Evaluator) => Promise<T>,
): Promise<T> {
  const model = await openModel(path);
  try {
    const tokenizer = await loadTokenizer(model);
    const pack = await packFor({ model: path, context }, context);
    return await withEvaluator(
      pack,
      2,
      (evaluator) => use(model, tokenizer, evaluator),
      variant.cpu,
    );
  } finally {
    await model.close();
  }
}

describe('raw text, of which the start token stays', () => {
  let path: string;
  beforeAll(() => {
    path = tinyModel('raw', { type: 'Q8_0' }, true);
  });

  test.each([50, 96])('context of %i positions', (context) =>
    withModel(path, context, async (model, tokenizer, evaluator) => {
      const keep = 1;
      const expected = new Conversation(evaluator, context, model, keep);
      const tokensOf = (text: string) => tokenizer.encode(text, { addBos: expected.isEmpty });
      await withGuest({ model: path, context }, variant, shifting(expected, tokensOf), constants);

      function shifting(conversation: Conversation, encode: typeof tokensOf) {
        return async (guest: Guest) => {
          const ask = async (text: string, predict: number) => {
            const prompt = encode(text);
            const { report } = await guest.ask(text, { ...raw, predict });
            expect(report).toMatchObject(await conversation.answer(prompt, predict));
            return report;
          };
          // in the answer, several times in a row
          const first = await ask('the quick', 3 * context);
          expect(first.shifts).toBeGreaterThan(2);
          await ask(' brown fox', 1);
          // in the prompt, which takes all there is but the start token; then one token more
          const long = 'x'.repeat(4 * context);
          const most = cutTo(long, context - keep, encode);
          expect((await ask(most, 0)).shifts).toBeGreaterThan(1);
          await ask(' and', context);
          expect((await ask(`${most}x`, 5)).stop).toBe('promptTooLong');
          // nobody was forgotten for it
          await ask(' and then', 5);
          const full = { ...raw, forget: true, predict: -2 };
          const { report } = await guest.ask('the quick', full);
          expect(report).toMatchObject({ stop: 'context', contextUsed: context, shifts: 0 });
        };
      }
    }),
  );
});

/** The longest beginning of a text that has so many tokens. */
function cutTo(text: string, count: number, encode: (text: string) => number[]): string {
  let length = text.length;
  while (encode(text.slice(0, length)).length > count) length--;
  return text.slice(0, length);
}

describe('a chat, of which the template’s first segment stays', () => {
  let path: string;
  beforeAll(() => {
    path = tinyModel('chat', { type: 'Q4_1', vocab: 420 }, false);
  });

  test.each([72])('context of %i positions', (context) =>
    withModel(path, context, async (model, tokenizer, evaluator) => {
      const { segments } = compileChat(model);
      if (!segments) throw new Error('the tiny model has a chat template');
      const encode = (parts: SegmentPart[]) =>
        joinTexts(parts).flatMap((part) =>
          typeof part === 'number' ? [part] : tokenizer.encode(part, { addBos: false }),
        );
      const { first, answer, next } = segments;
      const keep = encode(first).length;
      expect(keep).toBeGreaterThan(1);
      const expected = new Conversation(evaluator, context, model, keep);
      await withGuest(
        { model: path, context },
        variant,
        async (guest) => {
          let shifts = 0;
          for (const [text, predict] of [
            ['the quick', 4],
            ['the lazy dog', context],
            ['why is the sky blue', 9],
            ['the river and the sun', 2 * context],
          ] as const) {
            const turn = [...(expected.isEmpty ? first : next), Buffer.from(text), ...answer];
            const { report } = await guest.ask(text, { ...greedy, predict });
            expect(report).toMatchObject(await expected.answer(encode(turn), predict));
            shifts += report.shifts;
          }
          expect(shifts).toBeGreaterThan(3);
        },
        constants,
      );
    }),
  );

  test('the console says so', () =>
    withGuest(
      { model: path, context: 72 },
      variant,
      async (guest) => {
        const { text, report } = await guest.ask('the sun', { ...DEFAULT_SETTINGS, seed: 42n });
        expect(report.shifts).toBeGreaterThan(0);
        await answerTo(guest, '/reset\r');
        const said = await answerTo(guest, 'the sun\r');
        expect(said).toMatch(/\n\[the oldest part of the conversation made room\]$/);
        expect(said.length).toBeGreaterThan(text.length / 2);
      },
      constants,
    ));
});

/** Neighbouring texts are one, as in the guest. */
function joinTexts(parts: SegmentPart[]): SegmentPart[] {
  const joined: SegmentPart[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (typeof part === 'number' || typeof last === 'number' || last === undefined)
      joined.push(part);
    else joined[joined.length - 1] = Buffer.concat([last, part]);
  }
  return joined;
}
