/**
 * Activations in 8 bits: groups of 16 values with one scale each. Groups of 32, as llama.cpp has them, cost twice the KL divergence
 * (docs/architecture.md, "Exactness and precision"). One set of buffers: every matrix product reads the activations prepared last.
 */
import { BATCH, WIDEST } from 'model';

const QUANTS: i32 = BATCH * WIDEST;
const GROUPS: i32 = (BATCH * WIDEST) / 16;
const BLOCKS: i32 = (BATCH * WIDEST) / 32 + 1;

/** @align 64 */
const quants = zeroed<FixedArray<i8, typeof QUANTS>>(); // [BATCH][WIDEST], -127 … 127
const scales = zeroed<FixedArray<f32, typeof GROUPS>>(); // [BATCH][WIDEST / 16]: value ≈ quant · scale
const sums = zeroed<FixedArray<i32, typeof GROUPS>>(); // [BATCH][WIDEST / 16]: Σ quants of a group
const blockSums = zeroed<FixedArray<f32, typeof BLOCKS>>(); // [BATCH][WIDEST / 32]: Σ quant · scale of two groups

/** Smaller magnitudes count as zero, so that their inverse stays finite. */
const SMALLEST: f32 = 1e-30;

/** Prepares x: f32[columns] as the activations of one token of the batch. columns: a multiple of 32. */
export function quantize(token: i32, x: Ptr<f32>, columns: i32): void {
  const q = quantsOf(token);
  const scale = scalesOf(token);
  const sum = sumsOf(token);
  const blockSum = blockSumsOf(token);
  for (let group: i32 = 0; group < columns / 16; group++) {
    const v = f32x16.load(x, group * 16);
    const largest = f32x16.maxLane(f32x16.abs(v));
    const inverse: f32 = largest > SMALLEST ? 127 / largest : 0;
    const rounded = f32x16.nearest(f32x16.scale(v, inverse));
    const held = f32x16.max(f32x16.min(rounded, f32x16.splat(127)), f32x16.splat(-127));
    const lanes = i32x16.convert(held);
    i8x16.store(q, group * 16, i8x16.convert(lanes));
    scale[group] = largest > SMALLEST ? largest / 127 : 0;
    sum[group] = i32x16.sum(lanes);
  }
  for (let block: i32 = 0; block < columns / 32; block++) {
    const low = block * 2;
    blockSum[block] = fma(scale[low + 1], f32(sum[low + 1]), scale[low] * f32(sum[low]));
  }
}

/** i8[columns] */
export function quantsOf(token: i32): Ptr<i8> {
  return ref(quants[token * WIDEST]);
}

/** f32[columns / 16] */
export function scalesOf(token: i32): Ptr<f32> {
  return ref(scales[(token * WIDEST) / 16]);
}

/** i32[columns / 16] */
export function sumsOf(token: i32): Ptr<i32> {
  return ref(sums[(token * WIDEST) / 16]);
}

/** f32[columns / 32] */
export function blockSumsOf(token: i32): Ptr<f32> {
  return ref(blockSums[(token * WIDEST) / 32]);
}

/** Four neighbouring quants in every lane: what the integer dot product wants beside 16 rows × 4 columns of weights. @inline */
export function spread(q: Ptr<i8>, column: i32): i8x64 {
  return i8x64.reinterpret(i32x16.splat(load<i32>(changetype<usize>(ref(q[column])))));
}
