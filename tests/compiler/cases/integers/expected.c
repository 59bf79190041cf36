HELPER u16 u16_from_f32(f32 x) { return x != x ? 0 : x <= 0x0p0f ? 0 : x >= 0x1p16f ? 65535 : (u16)x; }
HELPER i64 i64_div(i64 a, i64 b) { if (b == 0) __builtin_trap(); if (b == -1 && a == (-9223372036854775807ll - 1)) __builtin_trap(); return (i64)(a / b); }
HELPER i64 i64_rem(i64 a, i64 b) { if (b == 0) __builtin_trap(); if (b == -1) return 0; return (i64)(a % b); }

u8 wraps(u8, u8);
i32 shifts(i32, u32);
i64 divides(i64, i64);
u16 casts(f32, i64);
i64 mixes(u16, i64, usize);
u64 literals(void);

#line 2 "tests/compiler/cases/integers/input.ts"
u8 wraps(u8 a, u8 b) {
  return (u8)((u8)(a * b) + 1);
}

i32 shifts(i32 a, u32 n) {
  return (a << (n & 31)) + (a >> 3) + (i32)((u32)a >> 3);
}

i64 divides(i64 a, i64 b) {
  return i64_div(a, b) + i64_rem(a, b) + a / 10 + a % 16;
}

u16 casts(f32 x, i64 y) {
  return (u16)((u16)((u16)y + u16_from_f32(x)) + (u16)(y != 0));
}

i64 mixes(u16 small, i64 wide, usize size) {
  i64 sum = (i64)small + wide;
  return sum + (i64)(size / 2);
}

u64 literals(void) {
  u64 big = 0xffffffffffffffffull;
  u64 mask = 1ull << 40;
  i32 least = (-2147483647 - 1);
  return big ^ mask ^ (u64)least;
}
