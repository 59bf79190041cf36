/**
 * xorshift64*: Vigna 2016, "An experimental exploration of Marsaglia's xorshift generators,
 * scrambled".
 */

let state: u64 = 1;

/**
 * Any seed is good: it goes through splitmix64's finalizer, and zero, the one state that would
 * stay, is replaced.
 */
export function seed(value: u64): void {
  let z: u64 = value + 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  state = z ^ (z >> 31);
  if (state == 0) state = 1;
}

/** Uniform in [0, 1), a multiple of 2⁻²⁴. */
export function random(): f32 {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return f32((state * 0x2545f4914f6cdd1d) >> 40) / 16777216;
}
