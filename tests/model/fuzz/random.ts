import { uniform } from '../randomGguf.ts';

/** Numbers that a seed gives, for inputs that can be made again by their number. */
export interface Random {
  /** A whole number from 0 to n - 1. */
  below(n: number): number;
  pick<T>(list: readonly T[]): T;
}

/** Neighbouring seeds give numbers that have nothing in common. */
export function createRandom(seed: number): Random {
  const next = uniform(Math.imul(seed + 1, 0x9e3779b1));
  const below = (n: number) => Math.floor(next() * n);
  return { below, pick: (list) => list[below(list.length)] };
}
