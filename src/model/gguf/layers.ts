import type { Family, PartKey } from '../architectures.ts';
import type { ModelConfig, Scales } from '../model.ts';
import type { Metadata } from './metadata.ts';

/** What a configuration says beyond sizes and RoPE. */
type Parts = Pick<ModelConfig, 'ropeless' | 'windows' | 'windowRope' | 'scales'>;

/**
 * Windows, layers without RoPE, factors and caps, as the family's keys have them. The rules are
 * llama.cpp's: its src/models, a file for each family. What does nothing is left out.
 */
export function readParts(
  metadata: Metadata,
  family: Family,
  prefix: string,
  config: ModelConfig,
): Parts {
  const key = (name: PartKey) => {
    const found = family.keys.parts?.[name];
    return found && prefix + found;
  };
  const windows = readWindows(metadata, family, key, config.layers);
  const ropeless = readRopeless(metadata, family, key, config.layers, windows);
  const scales = readScales(metadata, family, key, config);
  const isEmpty = Object.values(scales).every((value) => value === undefined);
  return {
    ...(ropeless.includes(true) && { ropeless }),
    ...(windows.some((window) => window > 0) && {
      windows,
      windowRope: readWindowRope(metadata, family, key, config),
    }),
    ...(!isEmpty && { scales }),
  };
}

type KeyOf = (name: PartKey) => string | undefined;

/** number[layers]; 0: the layer sees all positions. */
function readWindows(metadata: Metadata, { windows }: Family, key: KeyOf, layers: number) {
  const none = new Array<number>(layers).fill(0);
  const name = key('window');
  if (!windows || !name || (windows.layers ?? layers) !== layers) return none;
  const rule = { min: 0, max: 2 ** 31 - 1, fallback: windows.positions ?? 0 };
  const positions = metadata.integer(name, rule);
  const slides = readPattern(metadata, key('windowPattern'), windows.every, layers);
  return slides.map((isSliding) => (isSliding ? positions : 0));
}

/** boolean[layers]: a list from the file, or of so many layers in turn all but the last. */
function readPattern(
  metadata: Metadata,
  key: string | undefined,
  every: number,
  layers: number,
): boolean[] {
  const listed = key === undefined ? undefined : metadata.flags(key);
  if (key !== undefined && listed !== undefined) {
    if (listed.length >= layers) return listed.slice(0, layers);
    throw metadata.error(key, `${listed.length} values`, `${layers}, one for each layer`);
  }
  const rule = { min: 0, max: 1024, fallback: every };
  const inTurn = key === undefined ? every : metadata.integer(key, rule);
  return Array.from({ length: layers }, (_, i) => inTurn === 0 || i % inTurn < inTurn - 1);
}

function readRopeless(
  metadata: Metadata,
  { ropeless }: Family,
  key: KeyOf,
  layers: number,
  windows: readonly number[],
): boolean[] {
  const trained = key('isRopeTrained');
  const isTrained = trained === undefined || metadata.boolean(trained, true);
  const hasWindows = windows.some((window) => window > 0);
  return Array.from({ length: layers }, (_, layer) => {
    if (ropeless === 'everyFourth') return layer % 4 === 3;
    if (ropeless === 'withoutWindow') return hasWindows && windows[layer] === 0;
    return ropeless === 'untrained' && !isTrained;
  });
}

/** Absent where layers with a window turn as the others do. */
function readWindowRope(
  metadata: Metadata,
  { windows }: Family,
  key: KeyOf,
  { ropeBase, ropeScaling }: ModelConfig,
): Parts['windowRope'] {
  const name = key('windowRopeBase');
  const fallback = windows?.ropeBase ?? ropeBase;
  const base = name ? metadata.float(name, { min: 1, max: 1e12, fallback }) : fallback;
  const scaling = windows?.isScaled ? ropeScaling : undefined;
  if (base === ropeBase && scaling === ropeScaling) return undefined;
  return { ropeBase: base, ...(scaling && { ropeScaling: scaling }) };
}

function readScales(
  metadata: Metadata,
  family: Family,
  key: KeyOf,
  { dim, heads, headDim, layers, contextLength, ropeScaling }: ModelConfig,
): Scales {
  /** The key's number; undefined where there is none, or one that does nothing. */
  const read = (name: PartKey, nothing = 1, min = 0): number | undefined => {
    const found = key(name);
    if (found === undefined) return undefined;
    const value = metadata.float(found, { min, max: 1e6, fallback: nothing });
    return value === nothing || value === 0 ? undefined : value;
  };
  const divisor = read('logitDivisor', 1, 1e-6);
  const growth = read('temperatureGrowth', 0);
  const byWidth = family.layersScoredByWidth === layers ? Math.floor(dim / heads) : headDim;
  const attention = byWidth === headDim ? read('attentionScale', 0) : 1 / Math.sqrt(byWidth);
  const length = ropeScaling?.originalContext ?? contextLength;
  const all: Scales = {
    embedding: family.scalesEmbedding ? Math.sqrt(dim) : read('embeddingScale'),
    residual: read('residualScale'),
    attention,
    logits: divisor && 1 / divisor,
    scoreCap: read('scoreCap', 0),
    logitCap: read('logitCap', 0),
    temperature: growth === undefined ? undefined : { growth, length },
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
