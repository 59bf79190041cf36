export type Count = i32;

let steps: i32 = 0;

export function step(by: i32): void {
  steps += by;
}
