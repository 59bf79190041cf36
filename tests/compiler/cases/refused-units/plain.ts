export type Count = i64;

export function step(by: i64): void {}
