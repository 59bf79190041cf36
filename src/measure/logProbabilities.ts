/**
 * What one position's logits say: about the token that follows, in 16 bits, and against a base
 * model's row. The arithmetic is llama.cpp's (tools/perplexity/perplexity.cpp), sums in f64; where
 * the stored 16-bit levels depend on the rounding of an f32, every step is rounded as there.
 */

const f32 = Math.fround;

/**
 * Below this log-probability llama.cpp counts nothing: not in a row's 16 bits, not in a KL
 * divergence.
 */
const FLOOR = -16;

/**
 * 1.5 · 2^23: adding it to an f32 below 2^22 leaves the nearest integer, ties to even, in the
 * mantissa.
 */
const ROUND = 12582912;

/** What one position adds to the sums of a comparison. */
export interface Comparison {
  /** -ln p(next token), in nats: of the model, and of the base as stored. */
  nll: number;
  nllBase: number;
  /** Σ p_base · ln(p_base / p) over the vocabulary. */
  divergence: number;
  /** p(next token) - p_base(next token). */
  difference: number;
  sameTop: boolean;
}

/** -ln softmax(logits)[token]. logits: f32[vocabulary]. */
export function negativeLogLikelihood(logits: Float32Array, token: number): number {
  const greatest = maximum(logits);
  return greatest + Math.log(sumOfExponentials(logits, greatest)) - logits[token];
}

/**
 * Writes the 16-bit log-probabilities of `logits` to `row` and returns -ln softmax(logits)[token].
 * logits: f32[vocabulary]; row: u16[rowLength(vocabulary)], its first 8 bytes f32 scale and f32
 * minimum. The levels 0 … 65535 span the logits from the greatest down to 16 below it, or to the
 * least if that is nearer.
 */
export function quantizeLogProbabilities(
  logits: Float32Array,
  token: number,
  row: Uint16Array,
): number {
  const greatest = maximum(logits);
  let least = greatest;
  for (let i = 0; i < logits.length; i++) if (logits[i] < least) least = logits[i];
  least = Math.max(least, f32(greatest + FLOOR));
  const logSum = Math.log(sumOfExponentials(logits, greatest));
  const scale = f32(f32(greatest - least) / 65535);
  const head = new DataView(row.buffer, row.byteOffset, 8);
  head.setFloat32(0, scale, true);
  head.setFloat32(4, f32(f32(least - greatest) - f32(logSum)), true);
  if (scale === 0) {
    row.fill(0, 4);
  } else {
    const inverse = f32(1 / scale);
    for (let i = 0; i < logits.length; i++) {
      const above = f32(logits[i] - least);
      row[4 + i] = above > 0 ? f32(f32(inverse * above) + ROUND) - ROUND : 0;
    }
  }
  return greatest + logSum - logits[token];
}

/**
 * Compares the model's logits with the base's row at one position. logits: f32[vocabulary]; row:
 * u16[rowLength(vocabulary)] as above; token: the one that follows in the text.
 */
export function compareWithBase(logits: Float32Array, token: number, row: Uint16Array): Comparison {
  const head = new DataView(row.buffer, row.byteOffset, 8);
  const scale = head.getFloat32(0, true);
  const minimum = head.getFloat32(4, true);
  let greatest = logits[0];
  let top = 0;
  let topLevel = row[4];
  let topBase = 0;
  for (let i = 1; i < logits.length; i++) {
    const logit = logits[i];
    if (logit > greatest) {
      greatest = logit;
      top = i;
    }
    const level = row[4 + i] as number;
    if (level > topLevel) {
      topLevel = level;
      topBase = i;
    }
  }
  const normalizer = greatest + Math.log(sumOfExponentials(logits, greatest));
  let divergence = 0;
  for (let i = 0; i < logits.length; i++) {
    const logBase = scale * row[4 + i] + minimum;
    if (logBase > FLOOR) {
      divergence += Math.exp(logBase) * (logBase - logits[i] + normalizer);
    }
  }
  const nll = normalizer - logits[token];
  const nllBase = -(scale * row[4 + token] + minimum);
  const difference = Math.exp(-nll) - Math.exp(-nllBase);
  return { nll, nllBase, divergence, difference, sameTop: top === topBase };
}

function maximum(logits: Float32Array): number {
  let greatest = logits[0];
  for (let i = 1; i < logits.length; i++) {
    if (logits[i] > greatest) greatest = logits[i];
  }
  return greatest;
}

/** Σ e^(logit - greatest). */
function sumOfExponentials(logits: Float32Array, greatest: number): number {
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i] - greatest);
  return sum;
}
