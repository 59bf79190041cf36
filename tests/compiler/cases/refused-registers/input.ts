/** @generalRegisters */
export function early(x: i32): i32 {
  return i32(f32(x) * 0.5);
}

/** @interrupt */
function handler(frame: Ptr<u64>): void {
  average(frame);
}

function average(frame: Ptr<u64>): void {
  store<f64>(4096, f64(frame[0]) / 2);
}

export function use(): usize {
  return changetype<usize>(handler);
}
