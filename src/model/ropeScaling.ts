/**
 * How a model's RoPE was changed so that it sees more positions than it was first trained for. All
 * of it becomes one table of frequencies on the host, and a factor.
 */
export interface RopeScaling {
  /** Frequencies are divided by it: Chen et al. 2023, position interpolation. */
  factor: number;
  /** Cosines and sines are multiplied by it. */
  magnitude: number;
  /** Positions that the model was first trained for. */
  originalContext: number;
  /** Only slow frequencies are divided, and fast ones kept: Peng et al. 2023, YaRN. */
  yarn?: YarnRamp;
  /** Frequency i is divided by number i. */
  divisors?: RopeDivisors;
}

/** Turns within the original context: frequencies with more than `fast` are kept as they are. */
export interface YarnRamp {
  fast: number;
  /** Those with less than `slow` are divided by the whole factor. */
  slow: number;
}

/** number[ropeDim / 2] each: for contexts up to the original one, for longer ones (LongRoPE). */
export interface RopeDivisors {
  short: readonly number[];
  long: readonly number[];
}

/** What a model's configuration says of RoPE. */
interface Rope {
  ropeBase: number;
  ropeDim: number;
  ropeScaling?: RopeScaling;
}

/** f64[ropeDim / 2], radians per position. context: positions that there is room for. */
export function ropeFrequencies(
  { ropeBase, ropeDim, ropeScaling }: Rope,
  context: number,
): number[] {
  const plain = Array.from({ length: ropeDim / 2 }, (_, i) => ropeBase ** ((-2 * i) / ropeDim));
  if (ropeScaling === undefined) return plain;
  const { factor, originalContext, yarn, divisors } = ropeScaling;
  const divisor = divisors?.[context > originalContext ? 'long' : 'short'];
  const divided = plain.map((frequency, i) => frequency / (divisor?.[i] ?? 1));
  if (yarn === undefined) return divided.map((frequency) => frequency / factor);
  const { first, last } = rampOf(yarn, ropeBase, ropeDim, originalContext);
  return divided.map((frequency, i) => {
    const ramp = Math.min(1, Math.max(0, (i - first) / Math.max(0.001, last - first)));
    return frequency * (1 - ramp) + (frequency / factor) * ramp;
  });
}

/**
 * Between which frequencies the ramp lies: those that turn `fast` and `slow` times in the original
 * context, as whole numbers. Peng et al. 2023 §3.2; rounding and bounds: ggml_rope_yarn_corr_dims
 * in ggml.c.
 */
function rampOf({ fast, slow }: YarnRamp, base: number, dim: number, originalContext: number) {
  const placeOf = (turns: number) =>
    (dim * Math.log(originalContext / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  return {
    first: Math.max(0, Math.floor(placeOf(fast))),
    last: Math.min(dim - 1, Math.ceil(placeOf(slow))),
  };
}
