export { circular } from './middle.ts';
export { d as twice } from './other.ts';
export { hidden as twice } from './other.ts';
export { nothing } from './other.ts';
export { local };

const local: i32 = 1;
