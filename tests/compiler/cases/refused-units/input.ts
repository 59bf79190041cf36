import { work } from './work.ts';

/** @symbol work_fast */
declare function workFast(by: i64): void;
/** @symbol work_slow */
declare function workSlow(by: i32): void;

export function run(): void {
  work(1);
  workFast(2);
  workSlow(3);
}
