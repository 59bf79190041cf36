const recursive: FixedArray<(by: i32) => void> = everyUnit(work);

export function work(by: i32): void {}

export function again(by: i32): void {
  recursive[1](by);
}
