// Order of evaluation: every call writes down that it happened. C leaves the order open; the language does not.

let trace: i64 = 0;
let state: i32 = 1;

function mark(x: i32): i32 {
  trace = trace * 10 + i64(x);
  state = state * 3 + x;
  return x;
}

function three(a: i32, b: i32, c: i32): i32 {
  return a * 100 + b * 10 + c;
}

export function operands(): i64 {
  trace = 0;
  const sum = mark(1) + mark(2) * mark(3) - mark(4);
  return trace * 100 + i64(sum);
}

export function callArguments(): i64 {
  trace = 0;
  const value = three(mark(1), mark(2) + mark(3), mark(4));
  return trace * 1000 + i64(value);
}

export function nested(): i64 {
  trace = 0;
  const value = three(three(mark(1), mark(2), 0), mark(3), three(mark(4), mark(5), mark(6)));
  return trace + i64(value);
}

export function readsThenCalls(x: i32): i32 {
  state = x;
  return state * 1000 + mark(7) * 100 + state;
}

export function callsThenReads(x: i32): i32 {
  state = x;
  return mark(2) + state - mark(3) * state;
}

export function compound(x: i32): i32 {
  state = x;
  state += mark(4);
  state = state * 2 + mark(1) - state;
  return state;
}

export function compares(x: i32): i32 {
  state = x;
  return i32(state < mark(2)) * 2 + i32(mark(3) > state);
}

export function shifts(x: i32): i32 {
  state = x;
  return (state << mark(3)) + (mark(5) >> state) + state / mark(3) + (state % mark(2));
}

export function conditional(x: i32): i64 {
  trace = 0;
  state = x;
  const value = (mark(1) > state ? mark(2) : mark(3)) + state;
  return trace * 100 + i64(value);
}

export function memoryBefore(x: i32): i32 {
  store<i32>(1048600, x);
  return load<i32>(1048600) + put(5) + load<i32>(1048600);
}

function put(x: i32): i32 {
  store<i32>(1048600, x * 11);
  return x;
}
