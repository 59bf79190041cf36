enum Color {
  Red,
  Green,
}

class Point {
  x!: i32;
  x!: i32;
}

const LIMIT: i32 = 5;
const LIMIT: i32 = 6;
const TABLE: FixedArray<u8> = [1, 2];
let shadowed: i32 = 0;

function first(p: Ptr<i32>): i32 {
  return p[0];
}

export function names(p: Ptr<Point>, c: Color): i32 {
  const a = missing;
  const early = later;
  const later: i32 = 1;
  shadowed = 1;
  const shadowed = shadowed;
  const t = Point;
  const u = u8;
  const m = Color.Blue;
  const f = p.z;
  LIMIT = 7;
  a2 = 3;
  TABLE[0] = 3;
  Color.Red = 1;
  const fixed: i32 = 3;
  fixed++;
  const g = first<i32, u8>(null);
  const h = load(8);
  const w: Widget = null;
  const v: Ptr<i32, i32> = null;
  const z = atomic.reboot();
  const y = u8.MIDDLE;
  const nothere = f32x16.cbrt(f32x16.splat(1));
  memory.free(p);
  return load<i32>(8) + a;
}
