import './missing.ts';
import { a } from './missing.ts';
import { b } from 'nowhere';
import { c, hidden } from './other.ts';
import all from './other.ts';
import * as other from './other.ts';
import { MISSING } from 'model';
export * from './other.ts';
export default function named(): void {}

export function use(): i32 {
  return a() + b + c + hidden() + MISSING;
}
export { d } from './other.ts';
import { circular, twice } from './circle.ts';
