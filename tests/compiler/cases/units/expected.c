void count_wide(i32);
static i32 step(i32);
static void noted(i32);
static void count(i32);
static i32 total(void);
string run(i32, i32);
static string const NAMES[2] = {{(u8 *)"plain", 5}, {(u8 *)"wide", 4}};
static i32 const LANES[3] = {1, 2, 4};
i32 sum __asm__("tests/compiler/cases/units/work.ts:sum") = 7;
i32 steps[4] __asm__("tests/compiler/cases/units/work.ts:steps") __attribute__((aligned(64)));
void (*after)(i32) __asm__("tests/compiler/cases/units/work.ts:after") = noted;
i32 onlyHere __asm__("tests/compiler/cases/units/work.ts:onlyHere") = 3;
static void (*const counters[2])(i32) = {count, count_wide};

#line 1 "tests/compiler/cases/units/plain.ts"
static i32 step(i32 by) {
  return by;
}

#line 11 "tests/compiler/cases/units/work.ts"
static void noted(i32 by) {
  steps[1] = by;
}

static void count(i32 by) {
  sum += step(by) * LANES[1];
  steps[0]++;
  after(by);
}

static i32 total(void) {
  onlyHere++;
  return sum + onlyHere;
}

#line 9 "tests/compiler/cases/units/input.ts"
string run(i32 unit, i32 by) {
  counters[unit](by);
  total();
  return NAMES[unit];
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
