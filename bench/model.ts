/**
 * The model that the benchmarks take unless told otherwise: the first argument, or what `mu pull`
 * calls by this name.
 */
import { resolveModel } from '../src/pull/models.ts';

export const DEFAULT_MODEL = 'smollm2-135m-instruct';

export function findModel(): Promise<string> {
  return resolveModel(process.argv[2] ?? DEFAULT_MODEL);
}

/** How often to repeat a measurement: the second argument. */
export function repetitions(otherwise: number): number {
  const wanted = Number(process.argv[3] ?? otherwise);
  if (Number.isInteger(wanted) && wanted > 0) return wanted;
  throw new Error(`repetitions: expected a whole number from 1, got ${process.argv[3]}`);
}
