/** Logits of the engine beside those of the F64 reference. */
import { expect } from 'vitest';
import type { Evaluator } from '../../src/measure/perplexity.ts';
import type { Reference } from './reference.ts';

/**
 * What medianError of f32 against f64 may be: beside the reference that rounds activations, keys
 * and values as the engine does.
 */
export const FLOAT_ERROR = 3e-6;

/** The logits after each of the tokens, one context. */
export async function evaluateAll(
  evaluator: Evaluator,
  tokens: Int32Array,
): Promise<Float32Array[]> {
  const logits: Float32Array[] = [];
  for await (const vector of evaluator.evaluate(tokens, 0)) logits.push(vector.slice());
  expect(logits.length).toBe(tokens.length);
  return logits;
}

/** ‖logits - reference‖ / ‖reference‖ over all positions of one context. */
export function relativeError(
  logits: Float32Array[],
  tokens: Int32Array,
  reference: Reference,
): number {
  let error = 0;
  let size = 0;
  reference.reset();
  for (const [position, token] of tokens.entries()) {
    for (const [i, value] of reference.forward(token).entries()) {
      error += (logits[position][i] - value) ** 2;
      size += value ** 2;
    }
  }
  return Math.sqrt(error / size);
}

/**
 * The relative error of contexts of three tokens each. f32 and f64 may fall on two sides of a
 * rounding, in a rare context: so the median counts.
 */
export async function medianError(
  evaluator: Evaluator,
  tokens: Int32Array,
  reference: Reference,
): Promise<number> {
  const errors: number[] = [];
  for (let start = 0; start < tokens.length; start += 3) {
    const few = tokens.slice(start, start + 3);
    errors.push(relativeError(await evaluateAll(evaluator, few), few, reference));
  }
  return errors.sort((a, b) => a - b)[errors.length >> 1];
}
