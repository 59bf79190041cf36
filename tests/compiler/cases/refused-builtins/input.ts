export function use(x: f32, v: i32x4, w: f32x4, p: Ptr<u8>): void {
  const a = ctz(x);
  const b = sqrt(3);
  const c = i32x4.div(v, v);
  const d = f32x4.dot(w, w, w);
  const e = i64x4.convert(f32x2.splat(0));
  const f = i32x4.reinterpret(f64x4.splat(0));
  const h = sizeof<u8>(x);
  const i = changetype<Ptr<u8>>(3);
  const j = load<u8>(x);
  const k = memory.copy(p, p);
  const l = f32x4.load(p);
  const m = u8x16.loadF16(p);
  const n = atomic.add<f32>(p, 1);
  const o = f32x4.lane(w, 4);
  const q = sizeof<u8, u8>();
  entry.linuxProcess(null);
}
