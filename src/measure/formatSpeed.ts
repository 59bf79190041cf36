/**
 * What `mu bench` prints: a table's rows for people, objects with llama-bench's field names for
 * programs.
 */
import {
  bandwidthOf,
  type Run,
  type Sample,
  type Series,
  type Summary,
  shareOfLimit,
  type Test,
  tokensPerSecond,
} from './speed.ts';
import { mean, median, standardDeviation } from './spread.ts';

/** llama-bench's names of tests: `pp512`, `tg128 @ d512`. */
export function nameOf({ prompt, generated, depth }: Test): string {
  const name = prompt > 0 ? `pp${prompt}` : `tg${generated}`;
  return depth > 0 ? `${name} @ d${depth}` : name;
}

/**
 * Header and one row for each summary. bytesOf: what one token of a test reads; null where that is
 * no limit.
 */
export function speedTable(
  summaries: readonly Summary[],
  bytesOf: (test: Test) => number | null,
): string[][] {
  const hasPeer = summaries.some(({ peer }) => peer !== null);
  const peerHeader = hasPeer ? ['llama.cpp', 'ratio', 'by round'] : [];
  return [
    ['tokens/s, medians', 'threads', 'cores', 'rounds', 'ours', ...peerHeader].concat([
      'MB/token',
      'GB/s',
      'of limit',
      'hop ns',
    ]),
    ...summaries.map((summary) => {
      const { test, threads, placement, rounds, ours, peer, bandwidth, hop } = summary;
      const bytes = bytesOf(test);
      const share = bytes === null ? null : (ours * bytes) / (bandwidth * 1e9);
      return [
        nameOf(test),
        String(threads),
        placement ?? '',
        String(rounds),
        formatSpeed(ours),
        ...(peer ? peerCells(peer) : []),
        bytes === null ? '' : (bytes / 1e6).toFixed(1),
        bandwidth.toFixed(1),
        share === null ? '' : `${(100 * share).toFixed(0)} %`,
        hop === null ? '' : hop.toFixed(0),
      ];
    }),
  ];
}

function peerCells({ theirs, ratio }: NonNullable<Summary['peer']>): string[] {
  const { median, min, max } = ratio;
  return [formatSpeed(theirs), `${median.toFixed(2)} ×`, `${min.toFixed(2)} … ${max.toFixed(2)}`];
}

export function formatSpeed(tokens: number): string {
  return tokens.toFixed(tokens < 1000 ? 1 : 0);
}

/** One series as rows of llama-bench's shape: ours, then the peer's if there is one. */
export function speedRows(
  series: Series,
  facts: Record<string, unknown>,
  bytes: number | null,
): Record<string, unknown>[] {
  const { test, threads, ours, theirs } = series;
  const row = (engine: string, samples: readonly Sample[]) => {
    const nanos = samples.map((sample) => sample.nanos);
    const speeds = samples.map((sample) => tokensPerSecond(test, sample));
    return {
      engine,
      ...facts,
      n_threads: threads,
      n_prompt: test.prompt,
      n_gen: test.generated,
      n_depth: test.depth,
      avg_ns: Math.round(mean(nanos)),
      stddev_ns: Math.round(standardDeviation(nanos)),
      avg_ts: mean(speeds),
      stddev_ts: standardDeviation(speeds),
      median_ts: median(speeds),
      samples_ns: nanos,
      samples_ts: speeds,
      bandwidth_gbs: samples.map(bandwidthOf),
      hop_ns: samples.map(({ before, after }) => [before.hop, after.hop]),
    };
  };
  const resident = ours.map((sample) => sample.resident).filter((one) => one !== undefined);
  const most = (name: 'peak' | 'anonymous' | 'file') =>
    Math.max(...resident.map((one) => one[name]));
  const shares = bytes === null ? null : ours.map((sample) => shareOfLimit(test, sample, bytes));
  const ratios = theirs.map((sample, i) => sample.nanos / ours[i].nanos);
  const own = {
    ...row('muinference', ours),
    bytes_per_token: bytes,
    share_of_limit: shares && median(shares),
    resident_bytes: { peak: most('peak'), anonymous: most('anonymous'), file: most('file') },
    large_pages: leastLargePages(ours),
  };
  if (theirs.length === 0) return [own];
  const ratio = { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) };
  return [{ ...own, ratio, samples_ratio: ratios }, row('llama.cpp', theirs)];
}

/**
 * The smallest part of the pack, 0 … 1, that a run had in pages of 2 MiB; null where it is not
 * known.
 */
export function leastLargePages(samples: readonly Run[]): number | null {
  const known = samples.flatMap(({ largePages }) => largePages ?? []);
  return known.length === 0 ? null : Math.min(...known);
}
