const NAMES: FixedArray<string> = ['zero', 'größe', 'a "quoted" \\ line\n'];
const PRIMES: FixedArray<u8> = [2, 3, 5, 7];
const GRID: FixedArray<FixedArray<i32, 2>, 2> = [
  [1, 2],
  [3, 4],
];

export function at(i: usize): u8 {
  const text = NAMES[i];
  if (text.length == 0) return 0;
  return utf8(text)[0] + PRIMES[i] + u8(GRID[1][0]) + u8('abc'.length);
}
