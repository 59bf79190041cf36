/** The boot processor alone; the others are still asleep. */
export function coreCount(): i32 {
  return 1;
}

/** Runs task(i, coreCount()) once for each i, one per core; returns when all are done. Not to be nested. */
export function parallel(task: (index: i32, count: i32) => void): void {
  task(0, 1);
}
