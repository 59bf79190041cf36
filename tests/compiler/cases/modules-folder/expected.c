static i32 double_(i32);
i32 four(void);

#line 1 "tests/compiler/cases/modules-folder/parts/double.ts"
static i32 double_(i32 x) {
  return x * 2;
}

#line 3 "tests/compiler/cases/modules-folder/input.ts"
i32 four(void) {
  return double_(2);
}
