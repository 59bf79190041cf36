/** The buffers of the forward pass, by their names in the guest, with their shapes. */
import { type ModelConfig, paddedRows } from '../model/index.ts';
import {
  type CacheType,
  KV_CHUNK,
  KV_GROUP,
  LINE_COLUMNS,
  MICRO_BATCH,
  PANEL_TOKENS,
} from './sizes.ts';

export type BufferName =
  | 'x'
  | 'normed'
  | 'normedLines'
  | 'ownNormed'
  | 'ownLines'
  | 'queries'
  | 'keys'
  | 'values'
  | 'cache'
  | 'attended'
  | 'gates'
  | 'ups'
  | 'innerLines'
  | 'delta'
  | 'logits'
  | 'cosines'
  | 'sines';

export interface Buffer {
  name: BufferName;
  /** The guest's file that has it. */
  file: string;
  /**
   * line: 32 columns of a token in 8 bits, with their scales; group: KV_GROUP values in 8 bits,
   * with their scale.
   */
  of: 'f32' | 'f16' | 'line' | 'group';
  /** Outermost first. */
  shape: number[];
  what: string;
  /** Each core has such a one. */
  isPerCore?: boolean;
  /** It is a part of this one. */
  within?: BufferName;
}

/** Widths in values. A row is a width in whole tiles of 16: a product writes 16 rows at a time. */
export interface BufferSizes {
  dim: number;
  queryDim: number;
  kvDim: number;
  ffnDim: number;
  queryRow: number;
  kvRow: number;
  ffnRow: number;
  /**
   * The wider one of what attention and the feed-forward part hand to their last product, in
   * whole lines.
   */
  innerDim: number;
  vocabularyRows: number;
  layers: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  /** headDim in whole vectors of 16: stride of a cached value. */
  headRow: number;
  ropeDim: number;
  ropeTables: number;
  context: number;
  cacheType: CacheType;
}

export function sizesOf(config: ModelConfig, context: number): BufferSizes {
  const { dim, hiddenDim: ffnDim, layers, heads, kvHeads, headDim, ropeDim } = config;
  const [queryDim, kvDim] = [heads * headDim, kvHeads * headDim];
  return {
    ...{ dim, queryDim, kvDim, ffnDim, layers, heads, kvHeads, headDim, ropeDim, context },
    queryRow: paddedRows(queryDim),
    kvRow: paddedRows(kvDim),
    ffnRow: paddedRows(ffnDim),
    innerDim: linesOf(Math.max(queryDim, ffnDim)) * LINE_COLUMNS,
    vocabularyRows: paddedRows(config.vocabSize),
    headRow: paddedRows(headDim),
    ropeTables: config.windowRope ? 2 : 1,
    cacheType: 'f16',
  };
}

export function listBuffers(sizes: BufferSizes): Buffer[] {
  const { dim, queryRow, kvRow, ffnRow, innerDim, layers, kvHeads } = sizes;
  const { of, count } = cachedOf(sizes);
  const engine = 'guest/engine/transformer.ts';
  const floats = (name: BufferName, shape: number[], what: string): Buffer => ({
    ...{ name, file: engine, of: 'f32', shape, what },
  });
  const lines = (name: BufferName, shape: number[], what: string): Buffer => ({
    ...{ name, file: engine, of: 'line', shape, what },
  });
  const batch = MICRO_BATCH;
  const panels = Math.ceil(batch / PANEL_TOKENS) * PANEL_TOKENS;
  const chunks = Math.ceil(sizes.context / KV_CHUNK);
  const angles = [batch, sizes.ropeTables, sizes.ropeDim / 2];
  return [
    floats('x', [batch, dim], 'the residual stream'),
    floats('normed', [batch, dim], 'what a norm gives'),
    lines('normedLines', [panels, linesOf(dim)], 'the same in 8 bits'),
    { ...floats('ownNormed', [dim], 'a lone token, normed'), isPerCore: true },
    { ...lines('ownLines', [linesOf(dim)], 'the same in 8 bits'), isPerCore: true },
    floats('queries', [batch, queryRow], 'queries'),
    floats('keys', [batch, kvRow], 'new keys'),
    floats('values', [batch, kvRow], 'new values'),
    {
      ...{ name: 'cache', file: 'guest/kernels/attention.ts', of },
      shape: [chunks, layers, kvHeads, KV_CHUNK * count],
      what: 'keys and values of all positions',
    },
    floats('attended', [batch, queryRow], 'what the heads attended to'),
    floats('gates', [2, batch, ffnRow], 'inside the feed-forward part: gates, then ups'),
    { ...floats('ups', [batch, ffnRow], 'ups'), within: 'gates' },
    lines('innerLines', [panels, linesOf(innerDim)], 'attended, then gates, in 8 bits'),
    floats('delta', [batch, dim], 'what a block adds to the residual stream'),
    floats('logits', [sizes.vocabularyRows], 'logits of one token'),
    { ...floats('cosines', angles, 'RoPE'), file: 'guest/kernels/rope.ts' },
    { ...floats('sines', angles, 'RoPE'), file: 'guest/kernels/rope.ts' },
  ];
}

/** Key and value of one head at one position. */
function cachedOf({ headDim, headRow, cacheType }: BufferSizes) {
  if (cacheType === 'q8') return { of: 'group', count: (2 * headDim) / KV_GROUP } as const;
  return { of: 'f16', count: headDim + headRow } as const;
}

/** Keys and values of one position, in all layers. */
export function cacheBytesOf(sizes: BufferSizes): number {
  const { of, count } = cachedOf(sizes);
  return sizes.layers * sizes.kvHeads * count * (of === 'f16' ? 2 : KV_GROUP + 2);
}

function linesOf(columns: number): number {
  return Math.ceil(columns / LINE_COLUMNS);
}
