import type { Family, RopeKey } from '../architectures.ts';
import type { ModelConfig } from '../model.ts';
import type { RopeDivisors, RopeScaling } from '../ropeScaling.ts';
import type { Metadata } from './metadata.ts';

/** The file's key for something; undefined where the family has none. */
export type KeyOf = (name: RopeKey) => string | undefined;

/** The values of the tensor that the family has for a kind of context; undefined without one. */
export type TakeDivisors = (context: keyof Family['ropeDivisors']) => Promise<number[] | undefined>;

/**
 * What a file says about its RoPE beyond base and width. The rules are llama.cpp's, and so are the
 * values of what is missing: llama-model.cpp load_hparams and get_rope_factors, llama-context.cpp
 * (yarn_attn_factor), rope_yarn in ggml-cpu/ops.cpp.
 */
export async function readRopeScaling(
  metadata: Metadata,
  key: KeyOf,
  contextLength: number,
  takeDivisors: TakeDivisors,
): Promise<RopeScaling | undefined> {
  const type = readType(metadata, key('type'));
  const number = (name: RopeKey, fallback: number, min: number, max: number) =>
    readNumber(metadata, key(name), fallback, min, max);
  const readFactor = (name: 'factor' | 'olderFactor', fallback: number) => {
    const factor = number(name, fallback, 0, MAX_FACTOR);
    if (factor === 0 || factor >= LEAST_DIVISOR) return factor; // 0: none
    throw metadata.error(key(name) as string, String(factor), LEAST_EXPECTED);
  };
  const given = readFactor('factor', readFactor('olderFactor', 1));
  const factor = type === 'none' || given === 0 ? 1 : given;
  const attention = number('magnitude', 1, 1e-3, 1e3);
  const original = key('originalContext');
  const rule = { min: 1, max: 2 ** 31 - 1, fallback: contextLength };
  const originalContext = original ? metadata.integer(original, rule) : contextLength;
  const divisors = await readDivisors(metadata, takeDivisors);
  const ramp = {
    fast: number('fastTurns', 32, 1e-6, 1e6),
    slow: number('slowTurns', 1, 1e-6, 1e6),
  };
  const more = number('growthDivisor', 0, 0, 1e3);
  const isYarn = type === 'yarn';
  const magnitude = attention * (isYarn ? yarnMagnitude(factor, more) : 1);
  const yarn = isYarn && factor !== 1 ? ramp : undefined;
  if (factor === 1 && magnitude === 1 && divisors === undefined) return undefined;
  return { factor, magnitude, originalContext, yarn, divisors };
}

function readNumber(
  metadata: Metadata,
  key: string | undefined,
  fallback: number,
  min: number,
  max: number,
): number {
  return key === undefined ? fallback : metadata.float(key, { min, max, fallback });
}

const MAX_FACTOR = 1e6;

/**
 * What a frequency may be divided by. The fastest turns by one radian a position; divided by less,
 * it would turn by more than half a circle, and which of two positions comes first could not be
 * told.
 */
export const LEAST_DIVISOR = 1 / Math.PI;
export const LEAST_EXPECTED = `at least ${LEAST_DIVISOR.toFixed(3)}: half a turn from a position to the next`;
const types = ['none', 'linear', 'yarn', 'longrope'] as const;

/** A factor without a type divides all frequencies. */
function readType(metadata: Metadata, key?: string): (typeof types)[number] {
  const name = key && metadata.text(key);
  if (!key || name === undefined) return 'linear';
  const type = types.find((type) => type === name);
  if (type !== undefined) return type;
  throw metadata.error(
    key,
    metadata.describe(key),
    types.join(', '),
    'this scaling of positions is unknown here and would change the results',
  );
}

/** Peng et al. 2023 §3.4; `multiplier` is mscale_all_dim of DeepSeek's and Mistral's files. */
function yarnMagnitude(factor: number, multiplier: number): number {
  const growth = (by: number) => (factor <= 1 ? 1 : 1 + 0.1 * by * Math.log(factor));
  return growth(1) / (multiplier === 0 ? 1 : growth(multiplier));
}

async function readDivisors(
  metadata: Metadata,
  take: TakeDivisors,
): Promise<RopeDivisors | undefined> {
  const [always, short, long] = [await take('always'), await take('short'), await take('long')];
  if (always !== undefined) return { short: always, long: always };
  if (short === undefined && long === undefined) return undefined;
  if (short === undefined || long === undefined) {
    throw metadata.error(
      'tensors of RoPE',
      `those for ${short ? 'short' : 'long'} contexts alone`,
      'those for short and for long ones',
      'the file is incomplete: take another conversion',
    );
  }
  return { short, long };
}

/**
 * NTK-aware scaling: the base grows, so that the slowest frequency is divided by alpha and the
 * fastest is kept. Source: hunyuan-vl.cpp.
 */
export function readRopeBase(
  metadata: Metadata,
  key: KeyOf,
  { ropeBase, headDim }: Pick<ModelConfig, 'ropeBase' | 'headDim'>,
): number {
  const alpha = readNumber(metadata, key('baseGrowth'), 0, 0, 1e6);
  return alpha > 0 && headDim > 2 ? ropeBase * alpha ** (headDim / (headDim - 2)) : ropeBase;
}
