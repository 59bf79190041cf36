/**
 * Grouped-query attention over the KV cache. Vaswani et al. 2017, eq. 1; Ainslie et al. 2023 for the groups.
 * Keys are stored so that a lane is a position: no sum across lanes, one order of additions on every CPU.
 */
import { CONTEXT, HEAD_DIM, HEAD_ROW, HEADS, KV_HEADS, LAYERS } from 'model';
import { exp16 } from './math.ts';

const KEY_HEAD: i32 = CONTEXT * HEAD_DIM;
const VALUE_HEAD: i32 = CONTEXT * HEAD_ROW;
const KEYS: i64 = i64(LAYERS * KV_HEADS) * i64(KEY_HEAD);
const VALUES: i64 = i64(LAYERS * KV_HEADS) * i64(VALUE_HEAD);
const GROUP: i32 = HEADS / KV_HEADS; // query heads that share a key/value head
const HEAD_VECTORS: i32 = HEAD_ROW / 16;
const MASKED: f32 = -1e30;

/** @align 64 */
const keys = zeroed<FixedArray<f32, typeof KEYS>>(); // [LAYERS][KV_HEADS][CONTEXT / 16][HEAD_DIM][16 positions]
/** @align 64 */
const values = zeroed<FixedArray<f32, typeof VALUES>>(); // [LAYERS][KV_HEADS][CONTEXT][HEAD_ROW]

/** Stores the key and value of one position. key, value: f32[KV_HEADS][HEAD_DIM] */
export function remember(layer: i32, position: i32, key: Ptr<f32>, value: Ptr<f32>): void {
  for (let head: i32 = 0; head < KV_HEADS; head++) {
    const slot = usize(layer * KV_HEADS + head);
    const column = ref(
      keys[slot * usize(KEY_HEAD) + usize((position / 16) * HEAD_DIM * 16 + (position % 16))],
    );
    const row = ref(values[slot * usize(VALUE_HEAD) + usize(position * HEAD_ROW)]);
    for (let i: i32 = 0; i < HEAD_DIM; i++) {
      column[i * 16] = key[head * HEAD_DIM + i];
      row[i] = value[head * HEAD_DIM + i];
    }
  }
}

/**
 * out[HEAD_DIM] = softmax(q · K / √HEAD_DIM) · V over positions 0 … position, for one query head.
 * q: f32[HEAD_DIM]; scores: f32[CONTEXT], scratch of the calling core.
 */
export function attend(
  out: Ptr<f32>,
  layer: i32,
  head: i32,
  q: Ptr<f32>,
  position: i32,
  scores: Ptr<f32>,
): void {
  const slot = usize(layer * KV_HEADS + head / GROUP);
  const key = ref(keys[slot * usize(KEY_HEAD)]);
  const value = ref(values[slot * usize(VALUE_HEAD)]);
  const tiles = position / 16 + 1;
  const largest = scoreTiles(scores, key, q, position, tiles);

  let total = f32x16.splat(0);
  for (let tile: i32 = 0; tile < tiles; tile++) {
    const weight = exp16(f32x16.sub(f32x16.load(scores, tile * 16), f32x16.splat(largest)));
    const counted = f32x16.select(weight, f32x16.splat(0), isUpTo(position, tile));
    f32x16.store(scores, tile * 16, counted);
    total = f32x16.add(total, counted);
  }
  const inverse: f32 = 1 / f32x16.sum(total);

  const sums = zeroed<FixedArray<f32x16, typeof HEAD_VECTORS>>();
  for (let p: i32 = 0; p <= position; p++) {
    const weight = f32x16.splat(scores[p]);
    for (let i: i32 = 0; i < HEAD_VECTORS; i++) {
      sums[i] = f32x16.fma(weight, f32x16.load(value, p * HEAD_ROW + i * 16), sums[i]);
    }
  }
  if (HEAD_DIM == HEAD_ROW) {
    for (let i: i32 = 0; i < HEAD_VECTORS; i++)
      f32x16.store(out, i * 16, f32x16.scale(sums[i], inverse));
  } else {
    const row = changetype<Ptr<f32>>(ref(sums[0]));
    for (let i: i32 = 0; i < HEAD_DIM; i++) out[i] = row[i] * inverse;
  }
}

/** scores[16 · tiles] = q · key / √HEAD_DIM; returns the largest up to `position`. */
function scoreTiles(scores: Ptr<f32>, key: Ptr<f32>, q: Ptr<f32>, position: i32, tiles: i32): f32 {
  const scale: f32 = 1 / sqrt(f32(HEAD_DIM));
  let largest = f32x16.splat(MASKED);
  for (let tile: i32 = 0; tile < tiles; tile++) {
    const column = ref(key[tile * HEAD_DIM * 16]);
    let sum = f32x16.splat(0);
    for (let i: i32 = 0; i < HEAD_DIM; i++) {
      sum = f32x16.fma(f32x16.splat(q[i]), f32x16.load(column, i * 16), sum);
    }
    const score = f32x16.scale(sum, scale);
    f32x16.store(scores, tile * 16, score);
    largest = f32x16.max(
      largest,
      f32x16.select(score, f32x16.splat(MASKED), isUpTo(position, tile)),
    );
  }
  return f32x16.maxLane(largest);
}

const LANES: FixedArray<i32> = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/** Mask of the lanes of a tile whose position is not after `position`. @inline */
function isUpTo(position: i32, tile: i32): i32x16 {
  return i32x16.less(i32x16.load(ref(LANES[0])), i32x16.splat(position - tile * 16 + 1));
}
