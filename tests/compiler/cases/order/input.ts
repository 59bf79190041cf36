// Where C leaves the order of evaluation open and it could be noticed, temporaries fix it.
let state: i32 = 0;

function next(): i32 {
  state += 1;
  return state;
}

function square(x: i32): i32 {
  return x * x;
}

export function mixed(p: Ptr<i32>): i32 {
  const pure = square(2) + square(3);
  const once = next() + square(4);
  const both = next() - next();
  p[next()] = next();
  p[0] += next();
  return state * 10 + next() + pure + once + both;
}

/** A temporary inside a larger expression keeps its own parentheses. */
export function nested(x: i32): i32 {
  return 100 + ((next() >> state) & 31) * (next() - state);
}
