// checked
class Pair {
  a!: i32;
  b!: FixedArray<u8, 4>;
}

/** @panic */
function stop(message: string, file: string, line: i32): void {
  volatile.store<u8>(0xe9, utf8(message)[0]);
}

export function check(p: Ptr<Pair>, i: i32, x: f32): u8 {
  assert(i >= 0, 'index is negative');
  p.b[i] = u8(i / p.a);
  if (i > 3) unreachable();
  return p.b[0] + u8(x);
}
