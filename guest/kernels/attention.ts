/**
 * Grouped-query attention over the KV cache. Vaswani et al. 2017, eq. 1; Ainslie et al. 2023 for
 * the groups.
 *
 *   cache    [CONTEXT / 64][LAYERS][KV_HEADS], each a chunk of 64 positions:
 *              keys     f16[4][HEAD_DIM][16]   a lane is a position: no sum across lanes
 *              values   f16[64][HEAD_ROW]      a lane is a dimension
 *
 * So memory is taken as a conversation grows, and what one head reads of a chunk is one piece.
 *
 * A query attends to the positions before it in chunks of 64, with a running maximum and
 * denominator (online softmax: Milakov & Gimelshein 2018), so that scores never leave the
 * first-level cache. Chunks begin at multiples of 64 whatever the query, and a position that a
 * query may not see has weight zero: the result is the same, bit for bit, whichever queries are
 * worked on together. Where a layer has a window, chunks before it are left out.
 *
 * Up to ROWS queries that share a key/value head go together, so that a key is loaded and widened
 * once for all of them. For each 16 positions × HEAD_DIM that is HEAD_DIM loads and ROWS · HEAD_DIM
 * fused multiply-adds, and as many again for the values.
 */
import {
  CONTEXT,
  HAS_WINDOWS,
  HEAD_DIM,
  HEAD_ROW,
  HEADS,
  KV_HEADS,
  LAYER_WINDOWS,
  LAYERS,
  SCORE_CAP,
  SCORE_SCALE,
} from 'model';
import { exp, exp16 } from './math.ts';
import { softCap } from './scale.ts';

export const GROUP: i32 = HEADS / KV_HEADS; // query heads that share a key/value head
const HEAD_VECTORS: i32 = HEAD_ROW / 16;
const MASKED: f32 = -1e30;
/**
 * The largest half: a key or value beyond it is held there, so that no infinity comes into a sum.
 */
const HALF_MAX: f32 = 65504;

/** Queries that are worked on together. */
const ROWS: i32 = 4;
const CHUNK: i32 = 64;
const CHUNK_TILES: i32 = CHUNK / 16;
const CHUNK_KEYS: i32 = CHUNK * HEAD_DIM; // halves
const CHUNK_HALVES: i32 = CHUNK_KEYS + CHUNK * HEAD_ROW;
const CHUNKS: i32 = (CONTEXT + CHUNK - 1) / CHUNK;
const CACHE: i64 = i64(CHUNKS * LAYERS * KV_HEADS) * i64(CHUNK_HALVES);

export const CACHE_BYTES: usize = usize(CACHE) * sizeof<u16>();

/** @align 64 */
const cache = zeroed<FixedArray<u16, typeof CACHE>>();

/** The chunk that has a position. @inline */
function chunkOf(layer: i32, head: i32, position: i32): Ptr<u16> {
  const slot = ((position / CHUNK) * LAYERS + layer) * KV_HEADS + head;
  return ref(cache[usize(slot) * usize(CHUNK_HALVES)]);
}

/** Stores rows first … end-1 (even) of the key of one position. key: f32[KV_HEADS][HEAD_DIM] */
export function storeKey(layer: i32, position: i32, key: Ptr<f32>, first: i32, end: i32): void {
  const halves = zeroed<FixedArray<u16, typeof HEAD_ROW>>();
  const inChunk = position % CHUNK;
  for (let row = first; row < end; row = (row / HEAD_DIM + 1) * HEAD_DIM) {
    const at = row % HEAD_DIM;
    const count = min(HEAD_DIM - at, end - row);
    const chunk = chunkOf(layer, row / HEAD_DIM, position);
    const column = ref(chunk[((inChunk / 16) * HEAD_DIM + at) * 16 + (inChunk % 16)]);
    toHalves(ref(halves[0]), ref(key[row]), count);
    for (let i: i32 = 0; i < count; i++) column[i * 16] = halves[i];
  }
}

/** The same of its value. value: f32[KV_HEADS][HEAD_DIM] */
export function storeValue(layer: i32, position: i32, value: Ptr<f32>, first: i32, end: i32): void {
  const inChunk = position % CHUNK;
  for (let row = first; row < end; row = (row / HEAD_DIM + 1) * HEAD_DIM) {
    const at = row % HEAD_DIM;
    const count = min(HEAD_DIM - at, end - row);
    const chunk = chunkOf(layer, row / HEAD_DIM, position);
    toHalves(ref(chunk[CHUNK_KEYS + inChunk * HEAD_ROW + at]), ref(value[row]), count);
  }
}

/** halves[count] ← numbers[count], held to what a half can say. count: even */
function toHalves(halves: Ptr<u16>, numbers: Ptr<f32>, count: i32): void {
  let i: i32 = 0;
  for (; i + 16 <= count; i += 16) {
    const v = f32x16.load(numbers, i);
    const held = f32x16.max(f32x16.min(v, f32x16.splat(HALF_MAX)), f32x16.splat(-HALF_MAX));
    f32x16.storeF16(halves, i, held);
  }
  for (; i + 2 <= count; i += 2) {
    const v = f32x2.load(numbers, i);
    const held = f32x2.max(f32x2.min(v, f32x2.splat(HALF_MAX)), f32x2.splat(-HALF_MAX));
    f32x2.storeF16(halves, i, held);
  }
}

/** One query of a block. */
class Query {
  out!: Ptr<f32>; // [HEAD_DIM]
  query!: Ptr<f32>; // [HEAD_DIM]
  position!: i32; // the last that it may see
}

/** Queries of one layer that share a key/value head, to be attended together. */
export class QueryBlock {
  count!: i32;
  queries!: FixedArray<Query, typeof ROWS>;
}

/**
 * Adds out[HEAD_DIM] ← attention of query[HEAD_DIM] to positions 0 … position. Returns whether the
 * block is full.
 */
export function addQuery(
  block: Ptr<QueryBlock>,
  out: Ptr<f32>,
  query: Ptr<f32>,
  position: i32,
): bool {
  const next = ref(block.queries[block.count]);
  next.out = out;
  next.query = query;
  next.position = position;
  block.count += 1;
  return block.count == ROWS;
}

/** out = softmax(query · K · scale) · V for every query of the block, which is empty then. */
export function attend(block: Ptr<QueryBlock>, layer: i32, head: i32): void {
  if (block.count == 4) attendRows(block, layer, head, 4);
  else if (block.count == 3) attendRows(block, layer, head, 3);
  else if (block.count == 2) attendRows(block, layer, head, 2);
  else if (block.count == 1) attendRows(block, layer, head, 1);
  block.count = 0;
}

/** attend for `rows` queries, a constant where this is inlined. @inline */
function attendRows(block: Ptr<QueryBlock>, layer: i32, head: i32, rows: i32): void {
  const weights = zeroed<FixedArray<f32, typeof BLOCK_WEIGHTS>>(); // [ROWS][CHUNK]
  const sums = zeroed<FixedArray<f32x16, typeof BLOCK_VECTORS>>(); // [ROWS][HEAD_VECTORS]
  const denominators = zeroed<FixedArray<f32x16, typeof ROWS>>();
  const maxima = zeroed<FixedArray<f32, typeof ROWS>>();
  let end: i32 = 0;
  for (let r: i32 = 0; r < rows; r++) {
    maxima[r] = MASKED;
    end = max(end, block.queries[r].position + 1);
  }
  let begin: i32 = 0;
  if (HAS_WINDOWS) begin = firstChunk(block, layer, rows);
  for (let first = begin; first < end; first += CHUNK) {
    const count = min(end - first, CHUNK);
    const tiles = count > 32 ? CHUNK_TILES : 2; // tiles that nobody sees are left out
    const chunk = chunkOf(layer, head, first);
    scoreChunk(ref(weights[0]), block, chunk, tiles, rows);
    const isLast = first + CHUNK >= end;
    const next = isLast
      ? chunkOf(layer, (head + 1) % KV_HEADS, begin)
      : chunkOf(layer, head, first + CHUNK);
    for (let r: i32 = 0; r < rows; r++) {
      const scores = ref(weights[r * CHUNK]);
      if (HAS_WINDOWS) maskBefore(scores, tiles, earliest(block, layer, r) - first);
      const before = maxima[r];
      maxima[r] = max(before, maskChunk(scores, tiles, block.queries[r].position - first));
      const factor = exp(before - maxima[r]);
      denominators[r] = f32x16.scale(denominators[r], factor);
      for (let t: i32 = 0; t < tiles; t++) {
        const score = f32x16.load(scores, t * 16);
        const weight = exp16(f32x16.sub(score, f32x16.splat(maxima[r])));
        const seen = f32x16.select(f32x16.splat(0), weight, isMasked(score));
        f32x16.store(scores, t * 16, seen);
        denominators[r] = f32x16.add(denominators[r], seen);
      }
      for (let i: i32 = 0; i < HEAD_VECTORS; i++) {
        const at = r * HEAD_VECTORS + i;
        sums[at] = f32x16.scale(sums[at], factor);
      }
    }
    addValues(ref(sums[0]), ref(weights[0]), ref(chunk[CHUNK_KEYS]), next, count, rows);
  }
  for (let r: i32 = 0; r < rows; r++) {
    const inverse: f32 = 1 / f32x16.sum(denominators[r]);
    const row = changetype<Ptr<f32>>(ref(sums[r * HEAD_VECTORS]));
    for (let i: i32 = 0; i < HEAD_DIM; i++) block.queries[r].out[i] = row[i] * inverse;
  }
}

const BLOCK_WEIGHTS: i32 = ROWS * CHUNK;
const BLOCK_VECTORS: i32 = ROWS * HEAD_VECTORS;

/** The first position that query r of a block sees. @inline */
function earliest(block: Ptr<QueryBlock>, layer: i32, r: i32): i32 {
  return max(0, block.queries[r].position + 1 - LAYER_WINDOWS[layer]);
}

/** Where the first chunk begins that a query of the block sees. @inline */
function firstChunk(block: Ptr<QueryBlock>, layer: i32, rows: i32): i32 {
  let first: i32 = CONTEXT;
  for (let r: i32 = 0; r < rows; r++) first = min(first, earliest(block, layer, r));
  return (first / CHUNK) * CHUNK;
}

/** scores[rows][CHUNK] = query · key · scale for the positions of one chunk. @inline */
function scoreChunk(
  scores: Ptr<f32>,
  block: Ptr<QueryBlock>,
  key: Ptr<u16>,
  tiles: i32,
  rows: i32,
): void {
  for (let pair: i32 = 0; pair < tiles; pair += 2) {
    const left = zeroed<FixedArray<f32x16, typeof ROWS>>();
    const right = zeroed<FixedArray<f32x16, typeof ROWS>>();
    const tile = ref(key[pair * HEAD_DIM * 16]);
    for (let i: i32 = 0; i < HEAD_DIM; i++) {
      // the chunk's values
      memory.prefetch(ref(key[CHUNK_KEYS + ((pair / 2) * HEAD_DIM + i) * 32]));
      const a = f32x16.loadF16(tile, i * 16);
      const b = f32x16.loadF16(tile, (HEAD_DIM + i) * 16);
      for (let r: i32 = 0; r < rows; r++) {
        const q = f32x16.splat(block.queries[r].query[i]);
        left[r] = f32x16.fma(q, a, left[r]);
        right[r] = f32x16.fma(q, b, right[r]);
      }
    }
    for (let r: i32 = 0; r < rows; r++) {
      f32x16.store(scores, r * CHUNK + pair * 16, f32x16.scale(left[r], SCORE_SCALE));
      f32x16.store(scores, r * CHUNK + pair * 16 + 16, f32x16.scale(right[r], SCORE_SCALE));
      if (SCORE_CAP != 0) softCap(ref(scores[r * CHUNK + pair * 16]), SCORE_CAP, 32);
    }
  }
}

/** Scores of positions after `last` (of the chunk) become MASKED; returns the maximum. @inline */
function maskChunk(scores: Ptr<f32>, tiles: i32, last: i32): f32 {
  let maximum = f32x16.splat(MASKED);
  for (let t: i32 = 0; t < tiles; t++) {
    const isSeen = i32x16.less(i32x16.load(ref(LANES[0])), i32x16.splat(last - t * 16 + 1));
    const score = f32x16.select(f32x16.load(scores, t * 16), f32x16.splat(MASKED), isSeen);
    f32x16.store(scores, t * 16, score);
    maximum = f32x16.max(maximum, score);
  }
  return f32x16.maxLane(maximum);
}

/** Scores of positions before `first` (of the chunk) become MASKED. @inline */
function maskBefore(scores: Ptr<f32>, tiles: i32, first: i32): void {
  for (let t: i32 = 0; t < tiles; t++) {
    const isBefore = i32x16.less(i32x16.load(ref(LANES[0])), i32x16.splat(first - t * 16));
    const score = f32x16.select(f32x16.splat(MASKED), f32x16.load(scores, t * 16), isBefore);
    f32x16.store(scores, t * 16, score);
  }
}

const LANES: FixedArray<i32> = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/** @inline */
function isMasked(score: f32x16): i32x16 {
  return f32x16.equal(score, f32x16.splat(MASKED));
}

/**
 * sums[rows][HEAD_ROW] += weights · value over the first `count` positions of a chunk.
 * next: the keys that come then. @inline
 */
function addValues(
  sums: Ptr<f32x16>,
  weights: Ptr<f32>,
  value: Ptr<u16>,
  next: Ptr<u16>,
  count: i32,
  rows: i32,
): void {
  for (let p: i32 = 0; p < count; p++) {
    for (let i: i32 = 0; i < HEAD_VECTORS; i++) {
      if (i % 2 == 0) memory.prefetch(ref(next[p * HEAD_DIM + i * 16]));
      const v = f32x16.loadF16(value, p * HEAD_ROW + i * 16);
      for (let r: i32 = 0; r < rows; r++) {
        const at = r * HEAD_VECTORS + i;
        sums[at] = f32x16.fma(f32x16.splat(weights[r * CHUNK + p]), v, sums[at]);
      }
    }
  }
}
