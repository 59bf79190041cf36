/**
 * As avx512vnni.ts: AVX-VNNI is the same instruction in vectors of 32 bytes, and clang cuts ours in
 * two.
 */
export {
  type Accumulator5,
  accumulate5,
  beginAccumulator5,
  dot6,
  dot8,
  dot8Gemv,
  QUANTS16,
  reduce5,
} from './avx512vnni.ts';
