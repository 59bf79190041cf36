/**
 * Grouped-query attention over the KV cache. Vaswani et al. 2017, eq. 1; Ainslie et al. 2023 for
 * the groups.
 *
 *   cache    [CONTEXT / 64][LAYERS][KV_HEADS], each a chunk of 64 positions:
 *              keys     [4][HEAD_DIM][16]   a lane is a position: no sum across lanes
 *              values   [64][HEAD_ROW]      a lane is a dimension
 *            as halves (keyValues16.ts) or in 8 bits (keyValues8.ts)
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
  KV_BITS,
  KV_HEADS,
  LAYER_WINDOWS,
  LAYERS,
  SCORE_CAP,
  SCORE_SCALE,
} from 'model';
import {
  addValues8,
  CHUNK8_HALVES,
  scorePair8,
  storeKey8,
  storeValue8,
  turnHead,
} from './keyValues8.ts';
import {
  addValues16,
  CHUNK16_HALVES,
  scorePair16,
  storeKey16,
  storeValue16,
} from './keyValues16.ts';
import { exp, exp16 } from './math.ts';
import { CHUNK, CHUNK_TILES, type QueryBlock, ROWS } from './queryBlock.ts';
import { softCap } from './scale.ts';

export const GROUP: i32 = HEADS / KV_HEADS; // query heads that share a key/value head
const HEAD_VECTORS: i32 = HEAD_ROW / 16;
const MASKED: f32 = -1e30;
const CHUNK_HALVES: i32 = KV_BITS == 8 ? CHUNK8_HALVES : CHUNK16_HALVES;
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

/**
 * Stores rows first … end-1 of the key of one position: whole groups of 8 bits, an even number of
 * halves. key: f32[KV_HEADS][HEAD_DIM]
 */
export function storeKey(layer: i32, position: i32, key: Ptr<f32>, first: i32, end: i32): void {
  for (let row = first; row < end; row = (row / HEAD_DIM + 1) * HEAD_DIM) {
    const n = min(HEAD_DIM - (row % HEAD_DIM), end - row);
    const chunk = chunkOf(layer, row / HEAD_DIM, position);
    if (KV_BITS == 8) storeKey8(chunk, position % CHUNK, row % HEAD_DIM, ref(key[row]), n);
    else storeKey16(chunk, position % CHUNK, row % HEAD_DIM, ref(key[row]), n);
  }
}

/** The same of its value. value: f32[KV_HEADS][HEAD_DIM] */
export function storeValue(layer: i32, position: i32, value: Ptr<f32>, first: i32, end: i32): void {
  for (let row = first; row < end; row = (row / HEAD_DIM + 1) * HEAD_DIM) {
    const n = min(HEAD_DIM - (row % HEAD_DIM), end - row);
    const chunk = chunkOf(layer, row / HEAD_DIM, position);
    if (KV_BITS == 8) storeValue8(chunk, position % CHUNK, row % HEAD_DIM, ref(value[row]), n);
    else storeValue16(chunk, position % CHUNK, row % HEAD_DIM, ref(value[row]), n);
  }
}

/**
 * out = softmax(query · K · scale) · V for every query of the block, which is empty then. Queries
 * are used up.
 */
export function attend(block: Ptr<QueryBlock>, layer: i32, head: i32): void {
  if (KV_BITS == 8) turnQueries(block);
  if (block.count == 4) attendRows(block, layer, head, 4);
  else if (block.count == 3) attendRows(block, layer, head, 3);
  else if (block.count == 2) attendRows(block, layer, head, 2);
  else if (block.count == 1) attendRows(block, layer, head, 1);
  block.count = 0;
}

/** As keys of 8 bits are turned. */
function turnQueries(block: Ptr<QueryBlock>): void {
  for (let r: i32 = 0; r < block.count; r++) turnHead(block.queries[r].query);
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
    if (KV_BITS == 8) addValues8(ref(sums[0]), ref(weights[0]), chunk, next, count, rows);
    else addValues16(ref(sums[0]), ref(weights[0]), chunk, next, count, rows);
  }
  for (let r: i32 = 0; r < rows; r++) {
    const inverse: f32 = 1 / f32x16.sum(denominators[r]);
    const row = changetype<Ptr<f32>>(ref(sums[r * HEAD_VECTORS]));
    for (let i: i32 = 0; i < HEAD_DIM; i++) block.queries[r].out[i] = row[i] * inverse;
    if (KV_BITS == 8) turnHead(block.queries[r].out);
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
  chunk: Ptr<u16>,
  tiles: i32,
  rows: i32,
): void {
  for (let pair: i32 = 0; pair < tiles; pair += 2) {
    const left = zeroed<FixedArray<f32x16, typeof ROWS>>();
    const right = zeroed<FixedArray<f32x16, typeof ROWS>>();
    if (KV_BITS == 8) scorePair8(ref(left[0]), ref(right[0]), block, chunk, pair, rows);
    else scorePair16(ref(left[0]), ref(right[0]), block, chunk, pair, rows);
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
