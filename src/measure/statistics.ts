/**
 * The figures that llama.cpp's llama-perplexity prints, from sums over the scored positions
 * (tools/perplexity/perplexity.cpp). Uncertainties are one standard error of the mean, carried
 * through to first order.
 */
import type { Comparison } from './logProbabilities.ts';

/** A mean and its standard error. */
export interface Estimate {
  mean: number;
  error: number;
}

/** How a set of values is distributed; percentiles are interpolated linearly between neighbours. */
export interface Distribution extends Estimate {
  min: number;
  max: number;
  median: number;
  /** By percent: "99.9%", "99%", … */
  percentiles: Record<string, number>;
}

export interface PerplexityFigures {
  /** e^mean(-ln p) and its standard error. */
  ppl: number;
  pplError: number;
  /** Scored tokens. */
  tokens: number;
}

export interface DivergenceFigures extends PerplexityFigures {
  /** The base's perplexity on the same tokens, from its 16-bit log-probabilities. */
  base: { ppl: number; pplError: number };
  /** Correlation of the two -ln p, in percent. */
  correlation: number;
  /** ln(ppl / base ppl). */
  logRatio: Estimate;
  /** ppl / base ppl. */
  ratio: Estimate;
  /** ppl - base ppl. */
  excess: Estimate;
  /** KL divergence of the model from the base per token, in nats. */
  kld: Distribution;
  /** p(next token) - p_base(next token), in percentage points; rms with its standard error. */
  dp: Distribution & { rms: number; rmsError: number };
  /** Tokens whose most likely candidate is the base's, in percent. */
  sameTop: number;
  sameTopError: number;
}

const KLD_PERCENTS = [99.9, 99, 95, 90, 10, 5, 1, 0.1];
const DP_PERCENTS = [99.9, 99, 95, 90, 75, 25, 10, 5, 1, 0.1];

/** Sums of -ln p over scored positions. */
export class PerplexitySums {
  private sum = 0;
  private squares = 0;
  private count = 0;

  add(nll: number): void {
    this.sum += nll;
    this.squares += nll * nll;
    this.count++;
  }

  figures(): PerplexityFigures {
    const { ppl, pplError } = perplexityOf(estimate(this.sum, this.squares, this.count));
    return { ppl, pplError, tokens: this.count };
  }
}

/**
 * Every scored position's comparison with the base. 8 bytes × 2 per position are kept for the
 * percentiles.
 */
export class DivergenceSums {
  private count = 0;
  private nll = 0;
  private nll2 = 0;
  private base = 0;
  private base2 = 0;
  private product = 0;
  private same = 0;
  private readonly divergences: number[] = [];
  private readonly differences: number[] = [];

  add(at: Comparison): void {
    this.count++;
    this.nll += at.nll;
    this.nll2 += at.nll * at.nll;
    this.base += at.nllBase;
    this.base2 += at.nllBase * at.nllBase;
    this.product += at.nll * at.nllBase;
    if (at.sameTop) this.same++;
    this.divergences.push(at.divergence);
    this.differences.push(100 * at.difference);
  }

  figures(): DivergenceFigures {
    const n = this.count;
    const nll = estimate(this.nll, this.nll2, n);
    const base = estimate(this.base, this.base2, n);
    const own = perplexityOf(nll);
    const other = perplexityOf(base);
    // Covariance of the two means, 0 where llama.cpp finds the positions too few.
    const covariance = n < 10 ? 0 : (this.product / n - nll.mean * base.mean) / (n - 1);
    const logRatio = {
      mean: nll.mean - base.mean,
      error: deviation(nll.error ** 2 + base.error ** 2 - 2 * covariance),
    };
    const ratio = Math.exp(logRatio.mean);
    const excessVariance =
      own.pplError ** 2 + other.pplError ** 2 - 2 * own.ppl * other.ppl * covariance;
    const squares = this.differences.map((d) => d * d);
    const meanSquare = estimateOf(squares);
    const rms = Math.sqrt(meanSquare.mean);
    const same = this.same / n;
    return {
      ...own,
      tokens: n,
      base: other,
      correlation: (100 * covariance) / (nll.error * base.error),
      logRatio,
      ratio: { mean: ratio, error: ratio * logRatio.error },
      excess: { mean: own.ppl - other.ppl, error: deviation(excessVariance) },
      kld: distribution(this.divergences, KLD_PERCENTS),
      dp: {
        ...distribution(this.differences, DP_PERCENTS),
        rms,
        rmsError: rms > 0 ? (0.5 / rms) * meanSquare.error : 0,
      },
      sameTop: 100 * same,
      sameTopError: n > 1 ? 100 * Math.sqrt((same * (1 - same)) / (n - 1)) : 0,
    };
  }
}

/** e^mean; d e^x = e^x dx. */
function perplexityOf(nll: Estimate): { ppl: number; pplError: number } {
  const ppl = Math.exp(nll.mean);
  return { ppl, pplError: ppl * nll.error };
}

/**
 * Mean and standard error from n values' sum and sum of squares; no error is claimed for ten values
 * or fewer.
 */
function estimate(sum: number, squares: number, n: number): Estimate {
  if (n < 1) return { mean: 0, error: 0 };
  const mean = sum / n;
  return { mean, error: n > 10 ? deviation((squares / n - mean * mean) / (n - 1)) : 0 };
}

function estimateOf(values: readonly number[]): Estimate {
  let sum = 0;
  let squares = 0;
  for (const value of values) {
    sum += value;
    squares += value * value;
  }
  return estimate(sum, squares, values.length);
}

/** Square root of a variance that rounding may have left just below zero. */
function deviation(variance: number): number {
  return Math.sqrt(Math.max(variance, 0));
}

function distribution(values: readonly number[], percents: readonly number[]): Distribution {
  const sorted = Float64Array.from(values).sort();
  const percentiles: Record<string, number> = {};
  for (const percent of percents) percentiles[`${percent}%`] = quantile(sorted, percent / 100);
  return {
    ...estimateOf(values),
    min: sorted[0],
    max: sorted[sorted.length - 1],
    median: quantile(sorted, 0.5),
    percentiles,
  };
}

/** sorted: ascending, at least one; fraction 0 … 1. */
function quantile(sorted: Float64Array, fraction: number): number {
  const place = fraction * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  const part = place - below;
  return (1 - part) * sorted[below] + part * sorted[above];
}
