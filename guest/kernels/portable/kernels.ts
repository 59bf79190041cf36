/** The kernels that every CPU runs, and the reference for the others. */
export { wantAhead } from './ahead.ts';
export {
  addQuery,
  attend,
  GROUP,
  type QueryBlock,
  rememberKey,
  rememberValue,
} from './attention.ts';
export {
  begin4,
  dot6,
  dot8,
  dot8 as dot8Alone,
  multiplyAdd4,
  type Products4,
  sum4,
  WORDS,
} from './dots.ts';
export { multiply, prepare, QUANTIZES, readRow, TILE_ROWS, tileBytes } from './matmul.ts';
export { addTo, rmsNorm } from './norm.ts';
export { type Activations, type Input, PACK_TOKENS } from './quantize.ts';
export { rotate, turnTo } from './rope.ts';
export { swiglu } from './swiglu.ts';
