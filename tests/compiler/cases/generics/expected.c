static void swap_u16(u16 *, usize, usize);
static void swap_f64(f64 *, usize, usize);
static u16 largest_u16(u16 *, usize);
static f64 largest_f64(f64 *, usize);
f64 use(u16 *, f64 *);

#line 1 "tests/compiler/cases/generics/input.ts"
static void swap_u16(u16 *p, usize i, usize j) {
  u16 kept = p[i];
  p[i] = p[j];
  p[j] = kept;
}

#line 1 "tests/compiler/cases/generics/input.ts"
static void swap_f64(f64 *p, usize i, usize j) {
  f64 kept = p[i];
  p[i] = p[j];
  p[j] = kept;
}

static u16 largest_u16(u16 *p, usize n) {
  u16 best = p[0];
  for (usize i = 1; i < n; i++) { if (p[i] > best) { best = p[i]; } }
  return best;
}

#line 7 "tests/compiler/cases/generics/input.ts"
static f64 largest_f64(f64 *p, usize n) {
  f64 best = p[0];
  for (usize i = 1; i < n; i++) { if (p[i] > best) { best = p[i]; } }
  return best;
}

f64 use(u16 *a, f64 *b) {
  swap_u16(a, 0, 1);
  swap_f64(b, 1, 2);
  return (f64)largest_u16(a, 2) + largest_f64(b, 3) + (f64)2ull;
}
