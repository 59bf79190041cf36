/**
 * Activations in 8 bits: groups of 16 values with one scale each. Groups of 32, as llama.cpp has
 * them, cost twice the KL divergence (docs/architecture.md, "Exactness and precision").
 *
 * 32 columns of one token are a cache line, two where quants are wanted in 16 bits too. The lines
 * of eight tokens are packed side by side into a panel (BLIS's word), so that a product reads one
 * stream.
 *
 *   panel 0   columns 0-31:  token 0, token 1 … token 7      columns 32-63:  token 0, token 1 …
 *   panel 1   likewise, tokens 8 … 15
 *
 * A token that comes alone (decoding) is a panel of one: its lines follow one another.
 */

import { QUANTS16 } from 'dots';
import { QUANTIZES } from './tileFormat.ts';

/**
 * Tokens of a panel. A batch's last may be less than full; its other lines are of no consequence.
 */
export const PANEL_TOKENS: i32 = 8;

/** 32 columns of one token: value ≈ quant · scale of its group. */
export class Activations {
  quants!: FixedArray<i8, 32>; // -127 … 127
  scales!: FixedArray<f32, 2>;
  /**
   * -8 · Σ quants and -128 · Σ quants of each group: weights of 4 and of 8 bits are stored with 8
   * and 128 added, and this takes it out of their dot products.
   */
  bias4!: FixedArray<i32, 2>;
  bias8!: FixedArray<i32, 2>;
  /** Σ quant · scale: what a row's minimum is multiplied with. */
  sum!: f32;
  /**
   * The quants once more, where dot products want 16 bits: of each group the eight of even columns,
   * then the odd ones.
   */
  quants16!: FixedArray<i16, typeof QUANTS16>;
}

/** What matrices are multiplied with: numbers; and the same in 8 bits, unless all are of floats. */
export class Input {
  x!: Ptr<f32>; // [tokens][stride]
  stride!: i32;
  columns!: i32; // a multiple of 32 where there are 8 bits
  lines!: Ptr<Activations>; // [tokens, whole panels of them, or one][columns / 32]
}

/** Smaller magnitudes count as zero, so that their inverse stays finite. */
const SMALLEST: f32 = 1e-30;

/** Lines from 32 columns to the next 32: 1 for a token alone, else the tokens of a panel. */
function panelStride(tokens: i32): i32 {
  return tokens == 1 ? 1 : PANEL_TOKENS;
}

/** The line of `token` for the first 32 columns. tokens: in the batch */
export function linesOf(input: Ptr<Input>, token: i32, tokens: i32): Ptr<Activations> {
  const stride = panelStride(tokens);
  return ref(input.lines[(token / stride) * stride * (input.columns / 32) + (token % stride)]);
}

/**
 * Quantizes columns start … end-1 (multiples of 32) of one of `tokens` tokens for the products that
 * follow, unless all matrices are of floats: those read the numbers themselves.
 */
export function quantizeActivations(
  input: Ptr<Input>,
  token: i32,
  tokens: i32,
  start: i32,
  end: i32,
): void {
  if (!QUANTIZES) return;
  const stride = panelStride(tokens);
  const first = linesOf(input, token, tokens);
  const x = ref(input.x[token * input.stride]);
  for (let block = start / 32; block < end / 32; block++) {
    const line = ref(first[block * stride]);
    quantizeGroup(line, 0, ref(x[block * 32]));
    quantizeGroup(line, 1, ref(x[block * 32 + 16]));
    const low = f32(-line.bias4[0] / 8);
    const high = f32(-line.bias4[1] / 8);
    line.sum = fma(line.scales[1], high, line.scales[0] * low);
  }
}

/** x: f32[16]. @inline */
function quantizeGroup(line: Ptr<Activations>, group: i32, x: Ptr<f32>): void {
  const v = f32x16.load(x, 0);
  const largest = f32x16.maxLane(f32x16.abs(v));
  const inverse: f32 = largest > SMALLEST ? 127 / largest : 0;
  const rounded = f32x16.nearest(f32x16.scale(v, inverse));
  const held = f32x16.max(f32x16.min(rounded, f32x16.splat(127)), f32x16.splat(-127));
  const lanes = i32x16.convert(held);
  const quants = i8x16.convert(lanes);
  i8x16.store(ref(line.quants[0]), group * 16, quants);
  if (QUANTS16 >= 32) storeQuants16(ref(line.quants16[group * 16]), i16x8.reinterpret(quants));
  const sum = i32x16.sum(lanes);
  line.scales[group] = largest > SMALLEST ? largest / 127 : 0;
  line.bias4[group] = -8 * sum;
  line.bias8[group] = -128 * sum;
}

/** @inline */
function storeQuants16(out: Ptr<i16>, quants: i16x8): void {
  i16x8.store(out, 0, i16x8.shr(i16x8.shl(quants, 8), 8));
  i16x8.store(out, 8, i16x8.shr(quants, 8));
}

/**
 * Quants `column` and `column + 2` in every lane of 32 bits, column being a multiple of 4 or one
 * more. @inline
 */
export function broadcastQuants16(line: Ptr<Activations>, column: i32): i16x32 {
  const first = (column / 16) * 16 + (column % 2) * 8 + (column % 16) / 2;
  const two = load<i32>(changetype<usize>(ref(line.quants16[first])));
  return i16x32.reinterpret(i32x16.splat(two));
}

/**
 * Four neighbouring quants in every lane: what the integer dot product wants beside 16 rows × 4
 * columns of weights. @inline
 */
export function broadcastQuants(line: Ptr<Activations>, column: i32): i8x64 {
  const four = load<i32>(changetype<usize>(ref(line.quants[column])));
  return i8x64.reinterpret(i32x16.splat(four));
}
