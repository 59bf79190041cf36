/**
 * How far two models' log-probabilities on one text are apart, from files of llama-perplexity's
 * format, so that ours and llama.cpp's are treated alike.
 *
 * The files have 16 bits for each log-probability. llama-perplexity's own KL divergence takes the
 * base's as they are: the rounded ones do not add up to 1, and what is missing shows as ± 1e-7,
 * which is more than types of floats differ by, and it prints six digits. So each row is made to
 * add up to 1 first. What rounding leaves then is of second order, about 1e-9: the floor below.
 */
import { type LogitsReader, openLogitsFile, rowLength } from '../src/measure/logitsFile.ts';

export interface Divergence {
  /** Mean KL divergence of the other from the base, in nats. */
  kld: number;
  /** What the 16 bits of both would give, on average, were the models the same. */
  floor: number;
  /** Scored tokens. */
  tokens: number;
}

/** Throws where the two are not of the same text. */
export async function compareFiles(basePath: string, otherPath: string): Promise<Divergence> {
  const base = await openLogitsFile(basePath);
  const other = await openLogitsFile(otherPath);
  try {
    requireSameText(base, other);
    return await compareRows(base, other);
  } finally {
    await base.close();
    await other.close();
  }
}

function requireSameText(base: LogitsReader, other: LogitsReader): void {
  const textOf = ({ vocabulary, contextSize, tokens }: LogitsReader) =>
    `${vocabulary} ${contextSize} ${tokens.join()}`;
  if (textOf(base) !== textOf(other)) throw new Error('the two have other tokens of the text');
}

async function compareRows(base: LogitsReader, other: LogitsReader): Promise<Divergence> {
  const { vocabulary } = base;
  const stride = rowLength(vocabulary);
  const p = new Float64Array(vocabulary);
  const q = new Float64Array(vocabulary);
  let [kld, variance, tokens] = [0, 0, 0];
  for (let chunk = 0; chunk < base.chunks; chunk++) {
    const [own, others] = [await base.readChunk(chunk), await other.readChunk(chunk)];
    for (let at = 0; at < own.length; at += stride, tokens++) {
      // A level is off by up to half a step, evenly: a variance of step² / 12.
      variance += readRow(own, at, p) ** 2 / 12 + readRow(others, at, q) ** 2 / 12;
      for (let i = 0; i < vocabulary; i++) kld += Math.exp(p[i]) * (p[i] - q[i]);
    }
  }
  // KL ≈ ½ Σ p δ² for small δ
  return { kld: kld / tokens, floor: variance / 2 / tokens, tokens };
}

/** Fills f64[vocabulary] with a row's log-probabilities; returns the step of its 16 bits. */
function readRow(rows: Uint16Array, at: number, out: Float64Array): number {
  const head = new DataView(rows.buffer, rows.byteOffset + 2 * at, 8);
  const step = head.getFloat32(0, true);
  const least = head.getFloat32(4, true);
  let sum = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = step * rows[at + 4 + i] + least;
    sum += Math.exp(out[i]);
  }
  const logSum = Math.log(sum);
  for (let i = 0; i < out.length; i++) out[i] -= logSum;
  return step;
}
