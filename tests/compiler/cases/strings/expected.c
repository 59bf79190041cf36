u8 at(usize);
static string const NAMES[3] = {{(u8 *)"zero", 4}, {(u8 *)"gr\303\266\303\237e", 7}, {(u8 *)"a \"quoted\" \\ line\n", 18}};
static u8 const PRIMES[4] = {2, 3, 5, 7};
static i32 const GRID[2][2] = {{1, 2}, {3, 4}};

#line 8 "tests/compiler/cases/strings/input.ts"
u8 at(usize i) {
  string text = NAMES[i];
  if (text.length == 0) { return 0; }
  return (u8)((u8)((u8)((text.data)[0] + PRIMES[i]) + (u8)GRID[1][0]) + (u8)3ull);
}
