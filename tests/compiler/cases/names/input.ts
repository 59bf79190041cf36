// Names that C or the prelude has already taken.
export function main(): i32 {
  const int: i32 = 1;
  const register: i32 = 2;
  const load_x: i32 = 3;
  const memcpy: i32 = 4;
  return int + register + load_x + memcpy + linux();
}

function linux(): i32 {
  return i32_min(1, 2);
}

function i32_min(a: i32, b: i32): i32 {
  const main = min(a, b);
  return main;
}

/** @symbol outside_name */
function named(float: f32): f32 {
  return float;
}

enum State {
  Idle,
}

/** Neither a local nor a function hides what State.Idle becomes. */
export function hides(State_Idle: i32): i32 {
  return State_Idle + State.Idle;
}
