typedef u8 u8x16 __attribute__((ext_vector_type(16)));
typedef i32 i32x4 __attribute__((ext_vector_type(4)));
typedef i8 i8x16 __attribute__((ext_vector_type(16)));
typedef i16 i16x16 __attribute__((ext_vector_type(16)));
typedef i32 i32x16 __attribute__((ext_vector_type(16)));
typedef i32 i32x8 __attribute__((ext_vector_type(8)));
typedef f32 f32x4 __attribute__((ext_vector_type(4)));
typedef i32 i32x2 __attribute__((ext_vector_type(2)));
typedef f32 f32x8 __attribute__((ext_vector_type(8)));
typedef u16 u16x8 __attribute__((ext_vector_type(8)));
typedef u32 u32x8 __attribute__((ext_vector_type(8)));
typedef f32 f32x2 __attribute__((ext_vector_type(2)));

VECTOR_HELPER u8x16 u8x16_load(const u8 *p) { u8x16 v; __builtin_memcpy(&v, p, sizeof v); return v; }
VECTOR_HELPER i8x16 i8x16_load(const i8 *p) { i8x16 v; __builtin_memcpy(&v, p, sizeof v); return v; }
#if (defined(__AVX512VNNI__) && defined(__AVX512VL__)) || defined(__AVXVNNI__)
VECTOR_HELPER i32x4 i32x4_dot(i32x4 acc, u8x16 a, i8x16 b) { return (i32x4)__builtin_ia32_vpdpbusd128((int __attribute__((vector_size(16))))acc, (int __attribute__((vector_size(16))))a, (int __attribute__((vector_size(16))))b); }
#else
VECTOR_HELPER i32x4 i32x4_dot(i32x4 acc, u8x16 a, i8x16 b) { i32x16 products = __builtin_convertvector(__builtin_convertvector(a, i16x16) * __builtin_convertvector(b, i16x16), i32x16); i32x8 pairs = products.even + products.odd; return acc + (pairs.even + pairs.odd); }
#endif
VECTOR_HELPER i32 i32x4_sum(i32x4 v) { i32x2 v2 = v.lo + v.hi; return (i32)(v2[0] + v2[1]); }
VECTOR_HELPER f32x8 f32x8_load(const f32 *p) { f32x8 v; __builtin_memcpy(&v, p, sizeof v); return v; }
#if defined(__F16C__) || defined(__AVX512F__) || defined(__aarch64__)
VECTOR_HELPER f32x8 f32x8_loadF16(const u16 *p) {
  typedef _Float16 halves __attribute__((ext_vector_type(8)));
  halves h;
  __builtin_memcpy(&h, p, sizeof h);
  return __builtin_convertvector(h, f32x8);
}
#else
VECTOR_HELPER f32x8 f32x8_loadF16(const u16 *p) {
  u16x8 h;
  __builtin_memcpy(&h, p, sizeof h);
  u32x8 w = __builtin_convertvector(h, u32x8);
  u32x8 sign = (w & 0x8000) << 16, rest = (w & 0x7fff) << 13;
  u32x8 finite = (u32x8)((f32x8)rest * (f32)0x1p112f);
  u32x8 special = rest | 0x7f800000 | ((u32x8)(rest > 0xf800000) & 0x400000);
  u32x8 isSpecial = (u32x8)(rest >= 0xf800000);
  return (f32x8)(sign | (special & isSpecial) | (finite & ~isSpecial));
}
#endif
VECTOR_HELPER f32x8 f32x8_max(f32x8 a, f32x8 b) { return a > b ? a : b; }
VECTOR_HELPER f32x8 f32x8_select(f32x8 a, f32x8 b, i32x8 mask) { return (f32x8)((mask & (i32x8)a) | (~mask & (i32x8)b)); }
VECTOR_HELPER void f32x8_store(f32 *p, f32x8 v) { __builtin_memcpy(p, &v, sizeof v); }
VECTOR_HELPER f32 f32x8_sum(f32x8 v) { f32x4 v4 = v.lo + v.hi; f32x2 v2 = v4.lo + v4.hi; return (f32)(v2[0] + v2[1]); }
VECTOR_HELPER f32 f32x8_maxLane(f32x8 v) { f32x4 v4 = v.lo > v.hi ? v.lo : v.hi; f32x2 v2 = v4.lo > v4.hi ? v4.lo : v4.hi; return (f32)(v2[0] > v2[1] ? v2[0] : v2[1]); }

f32 attention(f32 *, f32 *, u16 *, i32);
i32 bytes(u8 *, i8 *);

#line 1 "tests/compiler/cases/vectors/input.ts"
f32 attention(f32 *out, f32 *q, u16 *k, i32 n) {
  f32x8 sum = (f32x8)(0.0f);
  for (i32 i = 0; i < n; i += 8) {
    sum = __builtin_elementwise_fma(f32x8_load(q + i), f32x8_loadF16(k + i), sum);
  }
  f32x8 top = f32x8_max(sum, (-sum));
  f32x8_store(out, f32x8_select(sum, top, ((i32x8)(sum < top))));
  return f32x8_sum(sum) + f32x8_maxLane(top);
}

i32 bytes(u8 *a, i8 *b) {
  u8x16 low = (u8x16_load(a) & ((u8x16)(15)));
  i32x4 acc = i32x4_dot(((i32x4)(0)), low, i8x16_load(b + 16));
  i32x4 wide = __builtin_convertvector(__builtin_convertvector(acc, f32x4), i32x4);
  return i32x4_sum(wide) + ((acc << (i32x4)(i32)3)[2]);
}
