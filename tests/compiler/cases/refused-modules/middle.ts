export { circular } from './circle.ts';
