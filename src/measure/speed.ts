/**
 * Tokens per second, alone or in turn with a peer. docs/benchmarks.md says how each figure is made.
 * The machine changes while it is measured: its memory and the distance of its processors are
 * measured before and after every run.
 */

import { median } from './spread.ts';

/** One of prompt and generated is 0. */
export interface Test {
  /** Tokens of a prompt, or 0. */
  prompt: number;
  /** Tokens generated one by one, or 0. */
  generated: number;
  /** Positions that are filled before. */
  depth: number;
}

/** What a process holds in memory, in bytes (proc_pid_status(5): VmHWM, RssAnon, RssFile). */
export interface Resident {
  peak: number;
  anonymous: number;
  file: number;
}

export interface Run {
  nanos: number;
  /** Ours only. */
  resident?: Resident;
  /**
   * Ours only: the part of the pack that was mapped in pages of 2 MiB, 0 … 1, where it is known.
   */
  largePages?: number;
}

/** Measures one test in a process of its own, warmed up. */
export type RunTest = (test: Test, threads: number, signal?: AbortSignal) => Promise<Run>;

/** What the memory gives while `threads` read it, and how far two processors are apart. */
export interface MemoryState {
  /** Bytes per nanosecond: GB/s. */
  bandwidth: number;
  /**
   * Nanoseconds that a cache line takes from one processor to another; null where there is one
   * only.
   */
  hop: number | null;
}

export interface MemoryProbe {
  measure(threads: number): Promise<MemoryState>;
  end(): void;
}

export interface Sample extends Run {
  before: MemoryState;
  after: MemoryState;
}

/** All rounds of one test on one number of threads. */
export interface Series {
  test: Test;
  threads: number;
  ours: Sample[];
  /** Round by round beside ours; empty without a peer. */
  theirs: Sample[];
}

export interface SpeedOptions {
  tests: readonly Test[];
  threads: readonly number[];
  rounds: number;
  ours: RunTest;
  theirs?: RunTest;
  memory: MemoryProbe;
  signal?: AbortSignal;
  /** After each series has got one more round. */
  onRound?: (round: number, series: Series) => void;
}

/** A prompt and a generation test for each depth, in llama-bench's order; zeros are left out. */
export function listTests(
  prompts: readonly number[],
  generated: readonly number[],
  depths: readonly number[],
): Test[] {
  return depths.flatMap((depth) => [
    ...prompts.filter(Boolean).map((prompt) => ({ prompt, generated: 0, depth })),
    ...generated.filter(Boolean).map((count) => ({ prompt: 0, generated: count, depth })),
  ]);
}

/** Positions that the longest of the tests needs. */
export function positionsOf(tests: readonly Test[]): number {
  return Math.max(...tests.map(({ prompt, generated, depth }) => prompt + generated + depth));
}

/**
 * Runs every test on every number of threads once a round; who goes first changes from round to
 * round.
 */
export async function measureSpeed(options: SpeedOptions): Promise<Series[]> {
  const { tests, rounds, memory, signal } = options;
  const all: Series[] = options.threads.flatMap((threads) =>
    tests.map((test) => ({ test, threads, ours: [], theirs: [] })),
  );
  for (let round = 1; round <= rounds; round++) {
    for (const series of all) {
      const { test, threads } = series;
      const turns = [{ run: options.ours, samples: series.ours }];
      if (options.theirs) turns.push({ run: options.theirs, samples: series.theirs });
      if (round % 2 === 0) turns.reverse();
      let before = await memory.measure(threads);
      for (const { run, samples } of turns) {
        signal?.throwIfAborted();
        const { nanos, resident, largePages } = await run(test, threads, signal);
        const after = await memory.measure(threads);
        samples.push({ nanos, resident, largePages, before, after });
        before = after;
      }
      options.onRound?.(round, series);
    }
  }
  return all;
}

export function tokensPerSecond({ prompt, generated }: Test, { nanos }: Run): number {
  return ((prompt + generated) * 1e9) / nanos;
}

/** GB/s that the memory gave around a run. */
export function bandwidthOf({ before, after }: Sample): number {
  return (before.bandwidth + after.bandwidth) / 2;
}

/** The part of the memory's bandwidth that went into reading what a token must read. */
export function shareOfLimit(test: Test, sample: Sample, bytesPerToken: number): number {
  return (tokensPerSecond(test, sample) * bytesPerToken) / (1e9 * bandwidthOf(sample));
}

/** Where the two processors lie: below this many nanoseconds they share a cache … */
const NEAR_NANOS = 110;
/** … and from this many on they were not two: other programs ran too. */
const BUSY_NANOS = 1000;

/** `unsteady`: the processors did not stay where they were, or were not ours alone. */
export type Placement = 'near' | 'apart' | 'unsteady';

/** Of one round. Null: there is one processor only. */
export function placementOf(samples: readonly Sample[]): Placement | null {
  const hops = samples.flatMap(({ before, after }) => [before.hop, after.hop]);
  const known = hops.filter((hop) => hop !== null);
  if (known.length === 0) return null;
  if (known.every((hop) => hop < NEAR_NANOS)) return 'near';
  return known.every((hop) => hop >= NEAR_NANOS && hop < BUSY_NANOS) ? 'apart' : 'unsteady';
}

/** What comes of some rounds of a series. */
export interface Summary {
  test: Test;
  threads: number;
  /** Null: all rounds, wherever the processors lay. */
  placement: Placement | null;
  rounds: number;
  /** Median tokens per second. */
  ours: number;
  peer: { theirs: number; ratio: { median: number; min: number; max: number } } | null;
  /** Medians around our runs. */
  bandwidth: number;
  hop: number | null;
}

/**
 * One summary of a series, or one for each placement that occurred: figures of several threads
 * compare within one only. A ratio's median is that of the ratios by round.
 */
export function summarize(series: Series): Summary[] {
  const rounds = series.ours.map((ours, i) => ({ ours, theirs: series.theirs.at(i) }));
  const placements = rounds.map(({ ours, theirs }) =>
    placementOf(theirs ? [ours, theirs] : [ours]),
  );
  const kinds = [...new Set(placements)].sort();
  if (series.threads === 1 || kinds.length === 1) {
    return [summarizeRounds(series, series.threads === 1 ? null : kinds[0], rounds)];
  }
  return kinds.map((kind) =>
    summarizeRounds(
      series,
      kind,
      rounds.filter((_, i) => placements[i] === kind),
    ),
  );
}

function summarizeRounds(
  { test, threads }: Series,
  placement: Placement | null,
  rounds: readonly { ours: Sample; theirs?: Sample }[],
): Summary {
  const speed = (run: Run) => tokensPerSecond(test, run);
  const ratios = rounds.flatMap(({ ours, theirs }) => (theirs ? theirs.nanos / ours.nanos : []));
  const theirs = rounds.flatMap(({ theirs }) => (theirs ? speed(theirs) : []));
  const hops = rounds.flatMap(({ ours }) => [ours.before.hop, ours.after.hop]);
  const known = hops.filter((hop) => hop !== null);
  return {
    test,
    threads,
    placement,
    rounds: rounds.length,
    ours: median(rounds.map(({ ours }) => speed(ours))),
    peer: theirs.length === 0 ? null : { theirs: median(theirs), ratio: spreadOf(ratios) },
    bandwidth: median(rounds.map(({ ours }) => bandwidthOf(ours))),
    hop: known.length === 0 ? null : median(known),
  };
}

function spreadOf(values: readonly number[]): { median: number; min: number; max: number } {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}
