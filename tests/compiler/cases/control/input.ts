enum State {
  Idle,
  Busy = 5,
  Done,
}

const LIMIT: i32 = 100;
const VERBOSE: bool = false;

export function run(state: State, n: i32): i32 {
  let count: i32 = 0;
  /** @unroll */
  for (let k: i32 = 0; k < 4; k++) count += k;
  for (let i: i32 = 0, j: i32 = n; i < j; i++, j--) {
    if (i == LIMIT) break;
    else if (i % 3 == 0) continue;
    count += j;
  }
  do {
    count--;
  } while (count > LIMIT);
  if (VERBOSE) report(count);
  switch (state) {
    case State.Idle:
    case State.Busy:
      return 1;
    case State.Done: {
      const twice = count * 2;
      return twice;
    }
    default:
      count = count > 0 ? 1 : -1;
  }
  while (true) {
    count += 7;
    if (count > 50) return count;
  }
}

function report(count: i32): void {
  store<i32>(4096, count);
}
