// Control flow: every kind of loop and branch, early exits, nesting, fallthrough.

export function collatz(n: u32): i32 {
  let x: u64 = u64(n);
  let steps: i32 = 0;
  while (x > 1) {
    x = (x & 1) == 0 ? x / 2 : 3 * x + 1;
    steps++;
    if (steps > 500) break;
  }
  return steps;
}

export function oddSum(n: i32): i32 {
  let sum: i32 = 0;
  for (let i: i32 = 0; i < n; i++) {
    if (i % 2 == 0) continue;
    for (let j: i32 = i; j > 0; j -= 3) {
      if (j == 4) break;
      sum += j;
    }
  }
  return sum;
}

export function doLoop(n: i32): i32 {
  let i: i32 = 0;
  let product: i32 = 1;
  do {
    i++;
    if (i == 3) continue;
    product *= i + 1;
  } while (i < n);
  return product;
}

export function choose(n: i32): i32 {
  let result: i32 = 0;
  switch (n) {
    case 0:
      result += 1;
    case 1:
      result += 10;
      break;
    case 5:
    case 10: {
      const twice: i32 = n * 2;
      result = twice;
      break;
    }
    case -1:
      return 99;
    default:
      result = -7;
  }
  return result;
}

export function inLoop(n: i32): i32 {
  let total: i32 = 0;
  for (let i: i32 = 0; i < n; i++) {
    switch (i & 3) {
      case 0:
        continue;
      case 1:
        total += 1;
        break;
      default:
        total += i;
    }
    total *= 2;
    if (total > 100000) return -1;
  }
  return total;
}

export function shortCircuit(a: i32, b: i32): i32 {
  counter = 0;
  const both = touch(a > 0) && touch(b > 0);
  const one = touch(a > 5) || touch(b > 5);
  return counter * 4 + (both ? 2 : 0) + (one ? 1 : 0);
}

let counter: i32 = 0;

function touch(x: bool): bool {
  counter += 1;
  return x;
}

export function primes(n: i32): i32 {
  let found: i32 = 0;
  for (let i: i32 = 2; i <= n; i++) {
    let isPrime = true;
    for (let d: i32 = 2; d * d <= i; d++) {
      if (i % d == 0) {
        isPrime = false;
        break;
      }
    }
    if (isPrime) found++;
  }
  return found;
}

export function ackermann(m: u32, n: u32): u32 {
  if (m > 2) return 0;
  if (m == 0) return n + 1;
  if (n == 0) return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, n - 1));
}
