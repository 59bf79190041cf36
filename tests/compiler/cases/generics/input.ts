function swap<T>(p: Ptr<T>, i: usize, j: usize): void {
  const kept = p[i];
  p[i] = p[j];
  p[j] = kept;
}

function largest<T>(p: Ptr<T>, n: usize): T {
  let best = p[0];
  for (let i: usize = 1; i < n; i++) if (p[i] > best) best = p[i];
  return best;
}

export function use(a: Ptr<u16>, b: Ptr<f64>): f64 {
  swap(a, 0, 1);
  swap<f64>(b, 1, 2);
  return f64(largest(a, 2)) + largest(b, 3) + f64(sizeof<u16>());
}
