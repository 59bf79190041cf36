HELPER f32 f32_max(f32 a, f32 b) { return a > b ? a : b; }
HELPER f64 f64_min(f64 a, f64 b) { return a < b ? a : b; }

static const f32 THIRD = 0.33333334f;
static const f32 INFINITE = __builtin_inff();
f32 single(f32);
f64 double_(f64, i32);
bool special(f32);

#line 4 "tests/compiler/cases/floats/input.ts"
f32 single(f32 x) {
  return x * THIRD + 0.1f - 1e-40f;
}

f64 double_(f64 x, i32 n) {
  return __builtin_elementwise_fma(x, 2.0, -0.0) / (f64)n + __builtin_roundeven(x) + f64_min(x, 1.0);
}

bool special(f32 x) {
  return x != x || x == INFINITE || __builtin_elementwise_sqrt(x) > f32_max(x, -x);
}
