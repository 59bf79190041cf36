// Made by the μInference compiler from the TypeScript that the #line directives name. Needs clang, and for the meaning of
// the language: -fwrapv -ffp-contract=off -fno-strict-aliasing -ffreestanding -fno-math-errno
// -fno-finite-loops
#pragma clang diagnostic ignored "-Wpsabi"
#pragma clang diagnostic ignored "-Wexcessive-regsave"

typedef __INT8_TYPE__ i8;
typedef __INT16_TYPE__ i16;
typedef __INT32_TYPE__ i32;
typedef __INT64_TYPE__ i64;
typedef __INTPTR_TYPE__ isize;
typedef __UINT8_TYPE__ u8;
typedef __UINT16_TYPE__ u16;
typedef __UINT32_TYPE__ u32;
typedef __UINT64_TYPE__ u64;
typedef __UINTPTR_TYPE__ usize;
typedef float f32;
typedef double f64;
typedef _Bool bool;
#define true ((bool)1)
#define false ((bool)0)
#define null ((void *)0)

typedef struct string {
  u8 *data;
  usize length;
} string;
#define TEXT(s) ((string){(u8 *)s, sizeof(s) - 1})

#define HELPER static inline
#define VECTOR_HELPER static inline __attribute__((always_inline))

typedef u64 unaligned_u64 __attribute__((aligned(1), may_alias));

__attribute__((weak, no_builtin)) void *memcpy(void *to, const void *from, usize n) {
  u8 *t = to;
  const u8 *f = from;
  if (n >= 256) {
    __asm__ volatile("rep movsb" : "+D"(t), "+S"(f), "+c"(n)::"memory");
    return to;
  }
  for (; n >= 8; n -= 8, t += 8, f += 8) *(unaligned_u64 *)t = *(const unaligned_u64 *)f;
  for (; n > 0; n--) *t++ = *f++;
  return to;
}

__attribute__((weak, no_builtin)) void *memmove(void *to, const void *from, usize n) {
  u8 *t = to;
  const u8 *f = from;
  if ((usize)t - (usize)f >= n) return memcpy(to, from, n);
  for (; n >= 8; n -= 8) *(unaligned_u64 *)(t + n - 8) = *(const unaligned_u64 *)(f + n - 8);
  for (; n > 0; n--) t[n - 1] = f[n - 1];
  return to;
}

__attribute__((weak, no_builtin)) void *memset(void *to, int byte, usize n) {
  u8 *t = to;
  if (n >= 256) {
    __asm__ volatile("rep stosb" : "+D"(t), "+c"(n) : "a"(byte) : "memory");
    return to;
  }
  u64 word = (u8)byte * 0x0101010101010101ull;
  for (; n >= 8; n -= 8, t += 8) *(unaligned_u64 *)t = word;
  for (; n > 0; n--) *t++ = (u8)byte;
  return to;
}

__attribute__((weak, no_builtin)) int memcmp(const void *a, const void *b, usize n) {
  const u8 *x = a, *y = b;
  for (; n > 0; n--, x++, y++) {
    if (*x != *y) return *x < *y ? -1 : 1;
  }
  return 0;
}

i32 answer(void);

#line 1 "tests/compiler/cases/prelude/input.ts"
i32 answer(void) {
  return 42;
}
