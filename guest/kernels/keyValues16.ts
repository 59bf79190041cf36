/**
 * Keys and values as halves. A chunk of 64 positions (attention.ts) is
 *
 *   keys     f16[4][HEAD_DIM][16]   a lane is a position
 *   values   f16[64][HEAD_ROW]      a lane is a dimension
 */
import { HEAD_DIM, HEAD_ROW } from 'model';
import { CHUNK, type QueryBlock } from './queryBlock.ts';

const HEAD_VECTORS: i32 = HEAD_ROW / 16;
const CHUNK_KEYS: i32 = CHUNK * HEAD_DIM;
export const CHUNK16_HALVES: i32 = CHUNK_KEYS + CHUNK * HEAD_ROW;

/**
 * The largest half: a key or value beyond it is held there, so that no infinity comes into a sum.
 */
export const HALF_MAX: f32 = 65504;

/** Stores n (even) values of a key, from dimension `at` on, as position `slot` of the chunk. */
export function storeKey16(chunk: Ptr<u16>, slot: i32, at: i32, key: Ptr<f32>, n: i32): void {
  const halves = zeroed<FixedArray<u16, typeof HEAD_ROW>>();
  const column = ref(chunk[((slot / 16) * HEAD_DIM + at) * 16 + (slot % 16)]);
  toHalves(ref(halves[0]), key, n);
  for (let i: i32 = 0; i < n; i++) column[i * 16] = halves[i];
}

/** The same of a value. */
export function storeValue16(chunk: Ptr<u16>, slot: i32, at: i32, value: Ptr<f32>, n: i32): void {
  toHalves(ref(chunk[CHUNK_KEYS + slot * HEAD_ROW + at]), value, n);
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

/** left, right[rows] ← query · key of the positions of tiles `pair` and `pair + 1`. @inline */
export function scorePair16(
  left: Ptr<f32x16>,
  right: Ptr<f32x16>,
  block: Ptr<QueryBlock>,
  chunk: Ptr<u16>,
  pair: i32,
  rows: i32,
): void {
  const tile = ref(chunk[pair * HEAD_DIM * 16]);
  for (let i: i32 = 0; i < HEAD_DIM; i++) {
    // the chunk's values
    memory.prefetch(ref(chunk[CHUNK_KEYS + ((pair / 2) * HEAD_DIM + i) * 32]));
    const a = f32x16.loadF16(tile, i * 16);
    const b = f32x16.loadF16(tile, (HEAD_DIM + i) * 16);
    for (let r: i32 = 0; r < rows; r++) {
      const q = f32x16.splat(block.queries[r].query[i]);
      left[r] = f32x16.fma(q, a, left[r]);
      right[r] = f32x16.fma(q, b, right[r]);
    }
  }
}

/**
 * sums[rows][HEAD_ROW] += weights · value over the first `count` positions of a chunk.
 * next: the keys that come then. @inline
 */
export function addValues16(
  sums: Ptr<f32x16>,
  weights: Ptr<f32>,
  chunk: Ptr<u16>,
  next: Ptr<u16>,
  count: i32,
  rows: i32,
): void {
  const value = ref(chunk[CHUNK_KEYS]);
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
