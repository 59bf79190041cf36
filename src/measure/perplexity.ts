/**
 * Perplexity of a text, and KL divergence from a base model, chunk by chunk as llama.cpp's
 * llama-perplexity does it: the text's tokens are cut into chunks of `contextSize`, each chunk is
 * evaluated in a fresh context, and of each the second half's predictions are scored. Logits stream
 * through: one position's f32[vocabulary] is held at a time, plus one chunk's 16-bit rows where a
 * base file is read.
 */

import {
  createLogitsFile,
  firstScored,
  type LogitsReader,
  rowLength,
  scoredPositions,
} from './logitsFile.ts';
import {
  compareWithBase,
  negativeLogLikelihood,
  quantizeLogProbabilities,
} from './logProbabilities.ts';
import {
  type DivergenceFigures,
  DivergenceSums,
  type PerplexityFigures,
  PerplexitySums,
} from './statistics.ts';

/** Whatever evaluates tokens: a guest program, or in tests a reference. */
export interface Evaluator {
  vocabulary: number;
  /**
   * Evaluates i32[count] tokens in a fresh context and yields the logits of positions first …
   * count-1, in order. Each is f32[vocabulary] and valid until the next one is asked for.
   */
  evaluate(tokens: Int32Array, first: number): AsyncIterable<Float32Array>;
}

/** How a text is cut. */
export interface Chunks {
  /** i32[at least count × contextSize] */
  tokens: Int32Array;
  contextSize: number;
  count: number;
  /** The start token that stands in for each chunk's first token, where the model wants one. */
  startToken?: number;
}

/**
 * Cuts a text as llama-perplexity does: whole chunks only, at most `limit`.
 * Throws if there are fewer than two chunks' tokens, as llama-perplexity refuses then.
 */
export function cutIntoChunks(
  tokens: Int32Array,
  contextSize: number,
  limit?: number,
  startToken?: number,
): Chunks {
  if (tokens.length < 2 * contextSize) {
    throw new Error(
      `the text has ${tokens.length} tokens: a perplexity with a context of ${contextSize} needs at least ` +
        `${2 * contextSize}; take a longer text or a smaller -c`,
    );
  }
  const whole = Math.floor(tokens.length / contextSize);
  return { tokens, contextSize, count: Math.min(whole, limit ?? whole), startToken };
}

/**
 * The perplexity; with `basePath` the log-probabilities are also written there, for later
 * comparisons.
 */
export async function measurePerplexity(
  evaluator: Evaluator,
  chunks: Chunks,
  basePath: string | undefined,
  onChunk: (done: number, figures: PerplexityFigures) => void,
): Promise<PerplexityFigures> {
  const { vocabulary } = evaluator;
  const { tokens, contextSize } = chunks;
  const sums = new PerplexitySums();
  const stride = rowLength(vocabulary);
  const rows = new Uint16Array(basePath === undefined ? 0 : stride * scoredPositions(contextSize));
  const base =
    basePath === undefined
      ? undefined
      : await createLogitsFile(basePath, { contextSize, vocabulary, chunks: chunks.count, tokens });
  try {
    for (let chunk = 0; chunk < chunks.count; chunk++) {
      await forEachScored(evaluator, chunks, chunk, (logits, next, index) => {
        const row = rows.subarray(index * stride, (index + 1) * stride);
        sums.add(
          base === undefined
            ? negativeLogLikelihood(logits, next)
            : quantizeLogProbabilities(logits, next, row),
        );
      });
      await base?.append(rows);
      onChunk(chunk + 1, sums.figures());
    }
  } finally {
    await base?.close();
  }
  return sums.figures();
}

/**
 * The divergence from the base whose file is `base`; the text is the base file's, up to
 * `chunks.count`.
 */
export async function measureDivergence(
  evaluator: Evaluator,
  chunks: Chunks,
  base: LogitsReader,
  onChunk: (done: number, figures: DivergenceFigures) => void,
): Promise<DivergenceFigures> {
  const sums = new DivergenceSums();
  const stride = rowLength(evaluator.vocabulary);
  for (let chunk = 0; chunk < chunks.count; chunk++) {
    const rows = await base.readChunk(chunk);
    await forEachScored(evaluator, chunks, chunk, (logits, next, index) => {
      sums.add(compareWithBase(logits, next, rows.subarray(index * stride, (index + 1) * stride)));
    });
    onChunk(chunk + 1, sums.figures());
  }
  return sums.figures();
}

/**
 * Calls `score` for every scored position of a chunk: with its logits, the token that follows in
 * the text, and its index 0 … scoredPositions - 1. The chunk's last token is not evaluated: nothing
 * is scored after it.
 */
async function forEachScored(
  evaluator: Evaluator,
  chunks: Chunks,
  chunk: number,
  score: (logits: Float32Array, next: number, index: number) => void,
): Promise<void> {
  const { contextSize } = chunks;
  const first = firstScored(contextSize);
  const text = chunks.tokens.subarray(chunk * contextSize, (chunk + 1) * contextSize);
  const input = text.slice(0, contextSize - 1);
  if (chunks.startToken !== undefined) input[0] = chunks.startToken;
  let position = first;
  for await (const logits of evaluator.evaluate(input, first)) {
    score(logits, text[position + 1], position - first);
    position++;
  }
  if (position !== contextSize - 1) {
    throw new Error(
      `chunk ${chunk + 1}: expected ${contextSize - 1 - first} vectors of logits, got ${position - first}`,
    );
  }
}
