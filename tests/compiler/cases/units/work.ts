import { step } from 'steps';

const LANES: FixedArray<i32> = [1, 2, 4];

let sum: i32 = 7;
/** @align 64 */
const steps = zeroed<FixedArray<i32, 4>>();
let after: (by: i32) => void = noted;
let onlyHere: i32 = 3;

function noted(by: i32): void {
  steps[1] = by;
}

export function count(by: i32): void {
  sum += step(by) * LANES[1];
  steps[0] += 1;
  after(by);
}

export function total(): i32 {
  onlyHere += 1;
  return sum + onlyHere;
}
