export function step(by: i32): void {}
