export { area, WIDTH } from './more.ts';
export { type Edge as Side } from './edge.ts';
