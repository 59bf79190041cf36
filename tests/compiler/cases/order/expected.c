static i32 next(void);
static i32 square(i32);
i32 mixed(i32 *);
i32 nested(i32);
static i32 state = 0;

#line 4 "tests/compiler/cases/order/input.ts"
static i32 next(void) {
  state++;
  return state;
}

static i32 square(i32 x) {
  return x * x;
}

i32 mixed(i32 *p) {
  i32 pure = square(2) + square(3);
  i32 once = next() + square(4);
  i32 both = ({ i32 _t1 = next(); _t1 - next(); });
  ({ i32 *_t2 = &p[next()]; *_t2 = next(); });
  ({ i32 *_t3 = &p[0]; i32 _t4 = *_t3; *_t3 = _t4 + next(); });
  return ({ i32 _t5 = state * 10; _t5 + next(); }) + pure + once + both;
}

i32 nested(i32 x) {
  return 100 + ({ i32 _t2 = ({ i32 _t1 = next(); _t1 >> (state & 31); }) & 31; _t2 * ({ i32 _t3 = next(); _t3 - state; }); });
}
