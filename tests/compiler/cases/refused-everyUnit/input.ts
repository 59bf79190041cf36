import { work } from './work.ts';

function own(by: i32): void {}

const owns: FixedArray<(by: i32) => void> = everyUnit(own);
const untyped = everyUnit(work);
const wrong: FixedArray<(by: i64) => void> = everyUnit(work);
const nothing: FixedArray<() => void> = everyUnit(null);
const two: FixedArray<(by: i32) => void> = everyUnit(work, work);
let changing: FixedArray<(by: i32) => void> = everyUnit(work);

export function run(): void {
  everyUnit(work);
}
