import { WIDE } from 'units';
import { count, total } from './work.ts';

/** @symbol count_wide */
declare function countWide(by: i32): void;

/** @symbol never_called */
declare function unused(): void;

export function run(by: i32): i32 {
  if (WIDE) countWide(by);
  else count(by);
  return total();
}
