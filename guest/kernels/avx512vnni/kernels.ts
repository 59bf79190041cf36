/** The kernels for CPUs with AVX-512 and its dot products. */
export { addQuery, attend, GROUP, type QueryBlock, remember } from '../portable/attention.ts';
export { dot6 as dot4, dot6, dot8, start8 } from '../portable/dots.ts';
export { multiply, prepare, readRow, TILE_ROWS } from '../portable/matmul.ts';
export { addTo, rmsNorm } from '../portable/norm.ts';
export { rotate, turnTo } from '../portable/rope.ts';
export { swiglu } from '../portable/swiglu.ts';
