/**
 * Activations in 8 bits: groups of 16 values with one scale each. Groups of 32, as llama.cpp has them, cost twice the KL divergence
 * (docs/architecture.md, "Exactness and precision").
 *
 * 32 columns of one token are a cache line, two where quants are wanted in 16 bits too. Tokens go in packs, whose lines lie side by side: a product reads one stream.
 *
 *   pack 0   columns 0-31:  token 0, token 1 … token 7      columns 32-63:  token 0, token 1 …
 *   pack 1   likewise, tokens 8 … 15
 *
 * A token that comes alone (decoding) has a pack of its own size: its lines follow one another.
 */

import { WORDS } from 'dots';

/** Tokens of a pack. The last pack of a batch may be less than full; what stands in its other lines is of no consequence. */
export const PACK_TOKENS: i32 = 8;

/** 32 columns of one token: value ≈ quant · scale of its group. */
export class Activations {
  quants!: FixedArray<i8, 32>; // -127 … 127
  scales!: FixedArray<f32, 2>;
  /** -8 · Σ quants and -128 · Σ quants of each group: where the dot products of biased weights begin. */
  starts4!: FixedArray<i32, 2>;
  starts8!: FixedArray<i32, 2>;
  /** Σ quant · scale: what a row's minimum is multiplied with. */
  sum!: f32;
  /** The quants once more, where dot products want 16 bits: of each group the eight of even columns, then the odd ones. */
  words!: FixedArray<i16, typeof WORDS>;
}

/** What matrices are multiplied with: numbers, and the same in 8 bits, for matrices that are not of floats. */
export class Input {
  x!: Ptr<f32>; // [tokens][stride]
  stride!: i32;
  columns!: i32; // a multiple of 32 where there are 8 bits
  lines!: Ptr<Activations>; // [tokens, whole packs of them, or one][columns / 32]
}

/** Smaller magnitudes count as zero, so that their inverse stays finite. */
const SMALLEST: f32 = 1e-30;

/** Lines from one block of columns to the next: 1 for a token alone, else the tokens of a pack. */
export function packStride(tokens: i32): i32 {
  return tokens == 1 ? 1 : PACK_TOKENS;
}

/** The line of `token` for the first 32 columns. tokens: in the batch */
export function linesOf(input: Ptr<Input>, token: i32, tokens: i32): Ptr<Activations> {
  const stride = packStride(tokens);
  return ref(input.lines[(token / stride) * stride * (input.columns / 32) + (token % stride)]);
}

/** Prepares columns start … end-1 of one of `tokens` tokens; multiples of 32. */
export function quantize(input: Ptr<Input>, token: i32, tokens: i32, start: i32, end: i32): void {
  const stride = packStride(tokens);
  const first = linesOf(input, token, tokens);
  const x = ref(input.x[token * input.stride]);
  for (let block = start / 32; block < end / 32; block++) {
    const line = ref(first[block * stride]);
    quantizeGroup(line, 0, ref(x[block * 32]));
    quantizeGroup(line, 1, ref(x[block * 32 + 16]));
    const low = f32(-line.starts4[0] / 8);
    const high = f32(-line.starts4[1] / 8);
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
  if (WORDS >= 32) storeWords(ref(line.words[group * 16]), i16x8.reinterpret(quants));
  const sum = i32x16.sum(lanes);
  line.scales[group] = largest > SMALLEST ? largest / 127 : 0;
  line.starts4[group] = -8 * sum;
  line.starts8[group] = -128 * sum;
}

/** @inline */
function storeWords(words: Ptr<i16>, quants: i16x8): void {
  i16x8.store(words, 0, i16x8.shr(i16x8.shl(quants, 8), 8));
  i16x8.store(words, 8, i16x8.shr(quants, 8));
}

/** Quants `column` and `column + 2` in every lane of 32 bits, column being a multiple of 4 or one more. @inline */
export function spreadWords(line: Ptr<Activations>, column: i32): i16x32 {
  const word = (column / 16) * 16 + (column % 2) * 8 + (column % 16) / 2;
  const two = load<i32>(changetype<usize>(ref(line.words[word])));
  return i16x32.reinterpret(i32x16.splat(two));
}

/** Four neighbouring quants in every lane: what the integer dot product wants beside 16 rows × 4 columns of weights. @inline */
export function spread(line: Ptr<Activations>, column: i32): i8x64 {
  const four = load<i32>(changetype<usize>(ref(line.quants[column])));
  return i8x64.reinterpret(i32x16.splat(four));
}
