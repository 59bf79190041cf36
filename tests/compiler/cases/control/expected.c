typedef i32 State;
enum { State_Idle = 0, State_Busy = 5, State_Done = 6 };

static const i32 LIMIT = 100;
i32 run(State, i32);

#line 10 "tests/compiler/cases/control/input.ts"
i32 run(State state, i32 n) {
  i32 count = 0;

  _Pragma("clang loop unroll(full)") for (i32 k = 0; k < 4; k++) { count += k; }
  { i32 i = 0; i32 j = n; for (; i < j; i++, j--) {
      if (i == LIMIT) { break; }
      else if (i % 3 == 0) { continue; }
      count += j;
    }
  }
#line 19 "tests/compiler/cases/control/input.ts"
  do {
    count--;
  } while (count > LIMIT);

  switch (state) {
    case State_Idle:
    case State_Busy: {
      return 1;
    }
#line 27 "tests/compiler/cases/control/input.ts"
    case State_Done: {
      i32 twice = count * 2;
      return twice;
    }
    default: {
      count = count > 0 ? 1 : -1;
    }
  }
#line 34 "tests/compiler/cases/control/input.ts"
  while (true) {
    count += 7;
    if (count > 50) { return count; }
  }
}
