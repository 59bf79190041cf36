/** The kernels for CPUs with AVX2, AVX-VNNI among them. */
export { wantAhead } from '../portable/ahead.ts';
export {
  addQuery,
  attend,
  GROUP,
  type QueryBlock,
  rememberKey,
  rememberValue,
} from '../portable/attention.ts';
export { multiply, prepare, QUANTIZES, readRow, TILE_ROWS, tileBytes } from '../portable/matmul.ts';
export { addTo, rmsNorm } from '../portable/norm.ts';
export { type Activations, type Input, PACK_TOKENS } from '../portable/quantize.ts';
export { rotate, turnTo } from '../portable/rope.ts';
export { swiglu } from '../portable/swiglu.ts';
export {
  begin4,
  dot6,
  dot8,
  dot8Alone,
  multiplyAdd4,
  type Products4,
  sum4,
  WORDS,
} from './dots.ts';
