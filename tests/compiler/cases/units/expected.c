void countWide(i32) __asm__("count_wide");
static void noted(i32);
static i32 total(void);
i32 run(i32);
i32 sum __asm__("tests/compiler/cases/units/work.ts:sum") = 7;
i32 steps[4] __asm__("tests/compiler/cases/units/work.ts:steps") __attribute__((aligned(64)));
void (*after)(i32) __asm__("tests/compiler/cases/units/work.ts:after") = noted;
i32 onlyHere __asm__("tests/compiler/cases/units/work.ts:onlyHere") = 3;

#line 11 "tests/compiler/cases/units/work.ts"
static void noted(i32 by) {
  steps[1] = by;
}

#line 21 "tests/compiler/cases/units/work.ts"
static i32 total(void) {
  onlyHere++;
  return sum + onlyHere;
}

#line 10 "tests/compiler/cases/units/input.ts"
i32 run(i32 by) {
  { countWide(by); }

  return total();
}

// unit wide
static i32 step(i32);
void count(i32) __asm__("count_wide");
i32 total(void) __asm__("total_wide");
static i32 const LANES[3] = {1, 2, 4};
extern i32 sum __asm__("tests/compiler/cases/units/work.ts:sum");
extern i32 steps[4] __asm__("tests/compiler/cases/units/work.ts:steps") __attribute__((aligned(64)));
extern void (*after)(i32) __asm__("tests/compiler/cases/units/work.ts:after");
extern i32 onlyHere __asm__("tests/compiler/cases/units/work.ts:onlyHere");

#line 1 "tests/compiler/cases/units/wide.ts"
static i32 step(i32 by) {
  return by + 0;
}

#line 15 "tests/compiler/cases/units/work.ts"
void count(i32 by) {
  sum += step(by) * LANES[1];
  steps[0]++;
  after(by);
}

i32 total(void) {
  onlyHere++;
  return sum + onlyHere;
}
