typedef struct Driver Driver;
struct Driver {
  i32 (*start)(i32);
  usize (__attribute__((ms_abi)) *send)(Driver *, u16 *);
};
_Static_assert(sizeof(Driver) == 16, "layout of Driver");

HELPER u16 load_u16(const void *p) { u16 r; __builtin_memcpy(&r, p, sizeof r); return r; }

static i32 double_(i32);
i32 run(Driver *, u8 (*)[4], u8 **);
__attribute__((ms_abi)) static usize onEvent(usize);
usize register_(usize (__attribute__((ms_abi)) ***)(usize));
static i32 (*const HANDLERS[2])(i32) = {double_, double_};
static i32 (*handler)(i32) = null;

#line 8 "tests/compiler/cases/pointers/input.ts"
static i32 double_(i32 x) {
  return 2 * x;
}

#line 15 "tests/compiler/cases/pointers/input.ts"
i32 run(Driver *driver, u8 (*rows)[4], u8 **names) {
  handler = driver->start;
  if (handler == null) { handler = double_; }
  driver->send(driver, null);
  u8 *cell = &rows[1][2];
  __builtin_prefetch((const void *)cell);
  cell[0] = names[0][3];
  return ({ i32 _t2 = ({ i32 _t1 = handler(3); _t1 + HANDLERS[0](4); }); _t2 + (i32)load_u16((u8 *)(void *)((usize)cell) + 2); });
}

static usize onEvent(usize context) {
  return context + 1;
}

usize register_(usize (__attribute__((ms_abi)) ***table)(usize)) {
  table[0][1] = onEvent;
  return onEvent(1);
}
