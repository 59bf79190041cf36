typedef struct Pair Pair;
struct Pair {
  i32 a;
  u8 b[4];
};
_Static_assert(sizeof(Pair) == 8, "layout of Pair");

static const string file_1 = {(u8 *)"tests/compiler/cases/checked/input.ts", 37};
static void stop(string, string, i32);
static __attribute__((cold, noinline, noreturn)) void panic_at(string message, const string *file, i32 line) { stop(message, *file, line); __builtin_trap(); }
HELPER void *nonnull(const void *p, const string *file, i32 line) { if (p == null) panic_at(TEXT("null pointer"), file, line); return (void *)p; }
HELPER usize index_at(u64 i, u64 n, const string *file, i32 line) { if (i >= n) panic_at(TEXT("index out of range"), file, line); return (usize)i; }
HELPER u8 u8_checked_from_i32(i32 x, const string *file, i32 line) { if ((i32)(u8)x != x) panic_at(TEXT("value does not fit u8"), file, line); return (u8)x; }
HELPER i32 i32_div(i32 a, i32 b, const string *file, i32 line) { if (b == 0) panic_at(TEXT("division by zero"), file, line); if (b == -1 && a == (-2147483647 - 1)) panic_at(TEXT("division overflows"), file, line); return (i32)(a / b); }
HELPER u8 u8_checked_from_f32(f32 x, const string *file, i32 line) { if (x != x || x <= -0x1p0f || x >= 0x1p8f) panic_at(TEXT("value does not fit u8"), file, line); return (u8)x; }

static void stop(string, string, i32);
u8 check(Pair *, i32, f32);

#line 8 "tests/compiler/cases/checked/input.ts"
static void stop(string message, string file, i32 line) {
  *(volatile u8 *)nonnull((void *)0xe9, &file_1, 9) = ((u8 *)nonnull(message.data, &file_1, 9))[0];
}

u8 check(Pair *p, i32 i, f32 x) {
  (i >= 0 ? (void)0 : panic_at(TEXT("index is negative"), &file_1, 13));
  ((Pair *)nonnull(p, &file_1, 14))->b[index_at(i, 4, &file_1, 14)] = u8_checked_from_i32(i32_div(i, ((Pair *)nonnull(p, &file_1, 14))->a, &file_1, 14), &file_1, 14);
  if (i > 3) { panic_at(TEXT("unreachable"), &file_1, 15); }
  return (u8)(((Pair *)nonnull(p, &file_1, 16))->b[0] + u8_checked_from_f32(x, &file_1, 16));
}
