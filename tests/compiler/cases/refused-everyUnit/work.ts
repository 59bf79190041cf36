export function work(by: i32): void {}
