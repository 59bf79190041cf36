/** The kernels for CPUs with AVX-512 and its dot products. */
export { addQuery, attend, GROUP, type QueryBlock, remember } from '../portable/attention.ts';
export { multiply, prepare, readRow, TILE_ROWS } from '../portable/matmul.ts';
export { addTo, rmsNorm } from '../portable/norm.ts';
export { rotate, turnTo } from '../portable/rope.ts';
export { swiglu } from '../portable/swiglu.ts';
