typedef i32 State;
enum { State_Idle = 0 };

HELPER i32 i32_min(i32 a, i32 b) { return a < b ? a : b; }

i32 main(void);
static i32 linux_(void);
static i32 i32_min_(i32, i32);
f32 outside_name(f32);
i32 hides(i32);

#line 2 "tests/compiler/cases/names/input.ts"
i32 main(void) {
  i32 int_ = 1;
  i32 register_ = 2;
  i32 load_x_ = 3;
  i32 memcpy_ = 4;
  return int_ + register_ + load_x_ + memcpy_ + linux_();
}

static i32 linux_(void) {
  return i32_min_(1, 2);
}

static i32 i32_min_(i32 a, i32 b) {
  i32 main_ = i32_min(a, b);
  return main_;
}

f32 outside_name(f32 float_) {
  return float_;
}

#line 29 "tests/compiler/cases/names/input.ts"
i32 hides(i32 State_Idle_) {
  return State_Idle_ + (i32)State_Idle;
}
