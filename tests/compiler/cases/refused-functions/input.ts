/** @fast */
function unknownTag(): void {}

/** @packed */
function wrongPlace(): void {}

/** @align 3 */
const odd = zeroed<FixedArray<u8, 4>>();

/** @symbol */
function noName(): void {}

/** @panic */
function panicBadly(code: i32): void {}

/** @panic */
function panicOnce(message: string, file: string, line: i32): void {}

/** @panic */
function panicTwice(message: string, file: string, line: i32): void {}

/** @interrupt */
function handler(vector: i32): i32 {
  return vector;
}

class Box {
  next!: Ptr<Box>;
}

function generic<T>(n: i32): void {}

export function loop(): void {
  /** @unrol */
  for (let i: i32 = 0; i < 4; i++) {}
}
