import type { Count } from 'steps';
import { work } from './work.ts';

const workers: FixedArray<(by: Count) => void> = everyUnit(work);

export function run(): void {
  workers[0](1);
}
