/**
 * What plain `mu test` leaves out and `mu test --all` runs. One rule: of a table of combinations
 * (variant × machine × cores …) rows are taken until each value of each axis has occurred, always
 * the row that shows most that is new. What is left out says `(mu test --all)` in its name and
 * counts as skipped.
 */

export const runsAll = process.env.MU_TEST_ALL === '1';

/** Stands in the name of what is no table and takes long; empty if all is run. */
export const ONLY_ALL = runsAll ? '' : ' (mu test --all)';

/** The rows that a sample consists of. axes: what a row shows on each axis. */
export function sample<T>(rows: readonly T[], axes: (row: T) => readonly unknown[]): Set<T> {
  const seen = new Set<string>();
  const valuesOf = (row: T) => axes(row).map((value, axis) => `${axis} ${JSON.stringify(value)}`);
  const news = (row: T) => valuesOf(row).filter((value) => !seen.has(value)).length;
  const taken = new Set<T>();
  for (;;) {
    const most = Math.max(0, ...rows.map(news));
    const row = rows.find((row) => news(row) === most);
    if (row === undefined || most === 0) return taken;
    for (const value of valuesOf(row)) seen.add(value);
    taken.add(row);
  }
}

/** For each row: empty if it runs, else what stands in its name. rows: those that can run here. */
export function sampler<T>(
  rows: readonly T[],
  axes: (row: T) => readonly unknown[],
): (row: T) => string {
  const taken = sample(rows, axes);
  return (row) => (runsAll || taken.has(row) ? '' : ONLY_ALL);
}
