/**
 * Keys and values in 8 bits, with a scale, a half, for each group of 16 values of a head: 9 bits a
 * value in place of 16. A chunk of 64 positions (attention.ts) is then
 *
 *   keys          i8[4][HEAD_DIM][16]    a lane is a position
 *   their scales  f16[4][GROUPS][16]
 *   values        i8[64][HEAD_DIM]       a lane is a dimension
 *   their scales  f16[GROUPS][64]
 *
 * A few dimensions of a head are far larger than the others, and would leave these few of the 8
 * bits. So each run of 32 dimensions is turned first, by Hadamard's matrix H, which spreads a large
 * one over all of them (Ashkboos et al. 2024, "QuaRot"). Queries are turned alike, which leaves
 * q · k as it is; what comes of the values is turned back. H has whole numbers, H · H = 32, and
 * 1/32 is exact. llama.cpp turns whole heads, has groups of 32, and makes 8 bits of the queries
 * too, which stay what they are here.
 */
import { HEAD_DIM } from 'model';
import { HALF_MAX } from './keyValues16.ts';
import { CHUNK, CHUNK_TILES, type QueryBlock, type ROWS } from './queryBlock.ts';

/** Values that share a scale. */
export const KV_GROUP: i32 = 16;
/** Dimensions that are turned together: what one core computes of a head for certain. */
const TURNED: i32 = HEAD_DIM % 32 == 0 ? 32 : 16;

const HEAD_VECTORS: i32 = HEAD_DIM / 16;
const GROUPS: i32 = HEAD_DIM / KV_GROUP;
// where each begins, in halves
const KEY_SCALES: i32 = (CHUNK * HEAD_DIM) / 2;
const VALUES: i32 = KEY_SCALES + CHUNK * GROUPS;
const VALUE_SCALES: i32 = VALUES + (CHUNK * HEAD_DIM) / 2;
export const CHUNK8_HALVES: i32 = VALUE_SCALES + CHUNK * GROUPS;

/** @inline */
function quantsAt(chunk: Ptr<u16>, offset: i32): Ptr<i8> {
  return changetype<Ptr<i8>>(ref(chunk[offset]));
}

/**
 * Stores count values (whole groups) of a key, from dimension `at` on, as position `inChunk`. The
 * key is turned in place.
 */
export function storeKey8(chunk: Ptr<u16>, inChunk: i32, at: i32, key: Ptr<f32>, count: i32): void {
  const quants = zeroed<FixedArray<i8, typeof KV_GROUP>>();
  const tile = inChunk / 16;
  const lane = inChunk % 16;
  const column = ref(quantsAt(chunk, 0)[tile * HEAD_DIM * 16 + lane]);
  const scales = ref(chunk[KEY_SCALES + tile * GROUPS * 16 + lane]);
  turn(key, count, 1);
  for (let i = at; i < at + count; i += KV_GROUP) {
    quantize(ref(quants[0]), ref(scales[(i / KV_GROUP) * 16]), ref(key[i - at]));
    for (let d: i32 = 0; d < KV_GROUP; d++) column[(i + d) * 16] = quants[d];
  }
}

/** The same of a value. */
export function storeValue8(
  chunk: Ptr<u16>,
  inChunk: i32,
  at: i32,
  value: Ptr<f32>,
  count: i32,
): void {
  const row = ref(quantsAt(chunk, VALUES)[inChunk * HEAD_DIM]);
  const scales = ref(chunk[VALUE_SCALES + inChunk]);
  turn(value, count, 1);
  for (let i = at; i < at + count; i += KV_GROUP)
    quantize(ref(row[i]), ref(scales[(i / KV_GROUP) * CHUNK]), ref(value[i - at]));
}

/** quants · scale ≈ x[16]. The scale is the half that is nearest to the greatest / 127. */
function quantize(quants: Ptr<i8>, scale: Ptr<u16>, x: Ptr<f32>): void {
  const v = f32x16.load(x, 0);
  const halves = zeroed<FixedArray<u16, 2>>();
  const wanted = min(f32x16.maxLane(f32x16.abs(v)) / 127, HALF_MAX);
  f32x2.storeF16(ref(halves[0]), 0, f32x2.splat(wanted));
  scale[0] = halves[0];
  const step = f32x2.lane(f32x2.loadF16(ref(halves[0]), 0), 0);
  const inverse: f32 = step > 0 ? 1 / step : 0;
  const rounded = f32x16.nearest(f32x16.scale(v, inverse));
  const held = f32x16.max(f32x16.min(rounded, f32x16.splat(127)), f32x16.splat(-127));
  i8x16.store(quants, 0, i8x16.convert(i32x16.convert(held)));
}

/** Turns a head's query before it meets keys, and what comes of the values back. x: [HEAD_DIM] */
export function turnHead(x: Ptr<f32>): void {
  turn(x, HEAD_DIM, 1 / f32(TURNED));
}

/** x[count] ← factor · H · x, for each run of TURNED dimensions. */
function turn(x: Ptr<f32>, count: i32, factor: f32): void {
  for (let i: i32 = 0; i < count; i += TURNED) {
    const low = turn16(ref(x[i]));
    if (TURNED == 16) {
      f32x16.store(x, i, f32x16.scale(low, factor));
    } else {
      const high = turn16(ref(x[i + 16]));
      f32x16.store(x, i, f32x16.scale(f32x16.add(low, high), factor));
      f32x16.store(x, i + 16, f32x16.scale(f32x16.sub(low, high), factor));
    }
  }
}

/** H · x for 16 dimensions. Row i, column j of H: minus where i & j has an odd number of bits. */
function turn16(x: Ptr<f32>): f32x16 {
  const lanes = i32x16.load(ref(LANES[0]));
  let sum = f32x16.splat(0);
  for (let j: i32 = 0; j < 16; j++) {
    const isPlus = i32x16.equal(i32x16.and(lanes, i32x16.splat(MINUS[j])), i32x16.splat(0));
    const term = f32x16.select(f32x16.splat(x[j]), f32x16.splat(-x[j]), isPlus);
    sum = f32x16.add(sum, term);
  }
  return sum;
}

/** A bit for each lane; and of each column of H the lanes that are minus. */
const LANES: FixedArray<i32> = [
  0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000,
  0x8000,
];
const MINUS: FixedArray<i32> = [
  0x0000, 0xaaaa, 0xcccc, 0x6666, 0xf0f0, 0x5a5a, 0x3c3c, 0x9696, 0xff00, 0x55aa, 0x33cc, 0x9966,
  0x0ff0, 0xa55a, 0xc33c, 0x6996,
];

/**
 * left, right[rows] ← query · key of the positions of tiles `pair` and `pair + 1`: sums of groups,
 * times their scales. @inline
 */
export function scorePair8(
  left: Ptr<f32x16>,
  right: Ptr<f32x16>,
  block: Ptr<QueryBlock>,
  chunk: Ptr<u16>,
  pair: i32,
  rows: i32,
): void {
  const tile = ref(quantsAt(chunk, 0)[pair * HEAD_DIM * 16]);
  const scales = ref(chunk[KEY_SCALES + pair * GROUPS * 16]);
  for (let g: i32 = 0; g < GROUPS; g++) {
    const a = zeroed<FixedArray<f32x16, typeof ROWS>>();
    const b = zeroed<FixedArray<f32x16, typeof ROWS>>();
    for (let i = g * KV_GROUP; i < (g + 1) * KV_GROUP; i++) {
      // the chunk's values
      if (i % 2 == 0) memory.prefetch(ref(chunk[VALUES + ((pair / 2) * HEAD_DIM + i) * 16]));
      const keyA = f32x16.convert(i8x16.load(tile, i * 16));
      const keyB = f32x16.convert(i8x16.load(tile, (HEAD_DIM + i) * 16));
      for (let r: i32 = 0; r < rows; r++) {
        const q = f32x16.splat(block.queries[r].query[i]);
        a[r] = f32x16.fma(q, keyA, a[r]);
        b[r] = f32x16.fma(q, keyB, b[r]);
      }
    }
    const scaleA = f32x16.loadF16(scales, g * 16);
    const scaleB = f32x16.loadF16(scales, (GROUPS + g) * 16);
    for (let r: i32 = 0; r < rows; r++) {
      left[r] = f32x16.fma(a[r], scaleA, left[r]);
      right[r] = f32x16.fma(b[r], scaleB, right[r]);
    }
  }
}

const SCALES: i32 = GROUPS > 0 ? GROUPS * CHUNK : 1;

/**
 * sums[rows][HEAD_DIM] += weights · value over the first `count` positions of a chunk; value =
 * quant · scale is exact, eight bits times eleven. next: the keys that come then. @inline
 */
export function addValues8(
  sums: Ptr<f32x16>,
  weights: Ptr<f32>,
  chunk: Ptr<u16>,
  next: Ptr<u16>,
  count: i32,
  rows: i32,
): void {
  const scales = zeroed<FixedArray<f32, typeof SCALES>>(); // [GROUPS][CHUNK]
  for (let i: i32 = 0; i < GROUPS * CHUNK_TILES; i++)
    f32x16.store(ref(scales[0]), i * 16, f32x16.loadF16(ref(chunk[VALUE_SCALES]), i * 16));
  const values = quantsAt(chunk, VALUES);
  for (let p: i32 = 0; p < count; p++) {
    for (let i: i32 = 0; i < HEAD_VECTORS; i++) {
      if (i % 4 == 0) memory.prefetch(ref(quantsAt(next, 0)[p * HEAD_DIM + i * 16]));
      const quants = f32x16.convert(i8x16.load(values, p * HEAD_DIM + i * 16));
      const v = f32x16.scale(quants, scales[i * CHUNK + p]);
      for (let r: i32 = 0; r < rows; r++) {
        const at = r * HEAD_VECTORS + i;
        sums[at] = f32x16.fma(f32x16.splat(weights[r * CHUNK + p]), v, sums[at]);
      }
    }
  }
}
