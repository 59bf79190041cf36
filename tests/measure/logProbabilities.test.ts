import { describe, expect, test } from 'vitest';
import { rowLength } from '../../src/measure/logitsFile.ts';
import {
  compareWithBase,
  negativeLogLikelihood,
  quantizeLogProbabilities,
} from '../../src/measure/logProbabilities.ts';

/** Softmax written down from its definition. */
function logProbabilities(logits: readonly number[]): number[] {
  const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
  return logits.map((logit) => logit - Math.log(sum));
}

const base = [1.5, -2, 0.25, 3, -0.5, 2.5, -12];
const model = [1.25, -2.5, 0.5, 2.75, -0.25, 2.875, -11];

describe('one position', () => {
  test('-ln p is the softmax of the logits', () => {
    const expected = logProbabilities(model);
    for (let token = 0; token < model.length; token++) {
      const nll = negativeLogLikelihood(Float32Array.from(model), token);
      expect(nll).toBeCloseTo(-expected[token], 12);
    }
  });

  test('16 bits keep each log-probability to half a level', () => {
    const row = new Uint16Array(rowLength(base.length));
    quantizeLogProbabilities(Float32Array.from(base), 0, row);
    const [scale, minimum] = new Float32Array(row.buffer, 0, 2);
    expect(scale).toBeCloseTo(15 / 65535, 9); // 3 … -12
    logProbabilities(base).forEach((expected, token) => {
      expect(Math.abs(scale * row[4 + token] + minimum - expected)).toBeLessThan(scale / 2 + 1e-6);
    });
  });

  test('what lies more than 16 below the greatest becomes level 0', () => {
    const row = new Uint16Array(rowLength(3));
    quantizeLogProbabilities(Float32Array.of(10, -5.5, -40), 0, row);
    expect([...row.subarray(4, 7)]).toEqual([65535, Math.round((0.5 / 16) * 65535), 0]);
  });

  test('logits that are all alike are a scale of 0', () => {
    const row = new Uint16Array(rowLength(4)).fill(7);
    const nll = quantizeLogProbabilities(Float32Array.of(2, 2, 2, 2), 1, row);
    expect(nll).toBeCloseTo(Math.log(4), 12);
    expect([...row.subarray(4)]).toEqual([0, 0, 0, 0]);
    const same = compareWithBase(Float32Array.of(2, 2, 2, 2), 1, row);
    expect(same.divergence).toBeCloseTo(0, 6);
    expect(same.sameTop).toBe(true);
  });

  test('the divergence is Σ p · ln(p / q)', () => {
    const row = new Uint16Array(rowLength(base.length));
    quantizeLogProbabilities(Float32Array.from(base), 0, row);
    const p = logProbabilities(base);
    const q = logProbabilities(model);
    const divergence = p.reduce((sum, log, i) => sum + Math.exp(log) * (log - q[i]), 0);
    const found = compareWithBase(Float32Array.from(model), 2, row);
    expect(found.divergence).toBeCloseTo(divergence, 4);
    expect(found.nll).toBeCloseTo(-q[2], 12);
    expect(found.nllBase).toBeCloseTo(-p[2], 3);
    expect(found.difference).toBeCloseTo(Math.exp(q[2]) - Math.exp(p[2]), 4);
    expect(found.sameTop).toBe(false); // 3 of the base, 5 of the model
  });
});
