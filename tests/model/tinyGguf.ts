/**
 * Small random models as GGUF files, for tests that need a model of some shape and type but not of
 * some meaning.
 */
import { tensorTypes } from '../../src/model/index.ts';
import { type GgufContent, writeGguf } from './ggufWriter.ts';
import { type RandomModel, randomGguf } from './randomGguf.ts';

export type TinyModel = Partial<Omit<RandomModel, 'name'>>;

const DEFAULTS: Omit<RandomModel, 'name'> = {
  dim: 64,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  hidden: 128,
  vocab: 320,
  context: 128,
  type: 'F32',
  tokenizer: 'bpe',
  tied: true,
  seed: 1,
};

/** Matrices of every type there is. */
export const EVERY_TYPE: TinyModel = {
  ...{ types: tensorTypes, dim: 256, hidden: 512, heads: 4, kvHeads: 2, context: 256 },
  tied: false,
};

export function makeTinyGguf(shape: TinyModel = {}): Uint8Array {
  return writeGguf(tinyContent(shape));
}

/** The same before it is written, for tests that break it first. */
export function tinyContent(shape: TinyModel = {}): GgufContent {
  const type = shape.type ?? DEFAULTS.type;
  const { metadata, tensors } = randomGguf({ name: `tiny ${type}`, ...DEFAULTS, ...shape });
  const drawn = tensors.map(({ draw, ...tensor }) => ({ ...tensor, bytes: draw() }));
  return { metadata, tensors: drawn };
}
