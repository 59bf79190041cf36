/** As avx512vnni.ts: AVX-VNNI is the same instruction in vectors of 32 bytes, and clang cuts ours in two. */
export {
  begin4,
  dot6,
  dot8,
  dot8Alone,
  multiplyAdd4,
  type Products4,
  sum4,
  WORDS,
} from './avx512vnni.ts';
