/** The boot timeline, as `mu demo`, `mu boot --timeline` and --json print it. */
import type { Timeline } from '../console/guest.ts';
import type { Report } from '../console/report.ts';
import { findTool } from '../toolchain/find.ts';
import { formatColumns } from './columns.ts';
import { bold, formatMilliseconds } from './terminal.ts';

/** Steps from the guest's process to the end, in their order, and what people call them. */
const STEPS = {
  started: 'QEMU started',
  reset: 'reset, or the kernel’s start',
  entry: 'entry, handed over to our program',
  memoryReady: 'memory ready',
  packMapped: 'pack mapped',
  coresUp: 'cores up',
  ready: 'ready for a prompt',
  firstPromptToken: 'first prompt token',
  firstToken: 'first token',
  lastToken: 'last token',
  exited: 'powered off',
} as const;

type Step = keyof typeof STEPS;

/** Milliseconds; a step that nobody saw, or not yet, is missing. */
export interface BootTimeline extends Partial<Record<Step, number>> {
  firstByte?: number;
  /** The same by the guest's clock, from its entry on. */
  sinceEntry: Partial<Record<Step, number>>;
}

/**
 * The host's and the guest's times on the host's axis, from the start of the guest's process. What
 * only the guest saw is placed by what both saw, `ready` and the first token: the host saw each a
 * little later, so the one that travelled faster counts. report: of the first answer.
 */
export function placeSteps(timeline: Timeline, report: Report): BootTimeline {
  const milliseconds = (nanos: bigint) => Number(nanos) / 1e6;
  const unlessZero = (nanos: bigint) => (nanos === 0n ? undefined : milliseconds(nanos));
  const sinceEntry: BootTimeline['sinceEntry'] = {
    reset: unlessZero(-report.bootNanos),
    entry: 0,
    memoryReady: milliseconds(report.entryToMemoryReadyNanos),
    packMapped: milliseconds(report.entryToPackMappedNanos),
    coresUp: milliseconds(report.entryToCoresUpNanos),
    ready: milliseconds(report.entryToReadyNanos),
    firstPromptToken: milliseconds(report.entryToPromptNanos),
    firstToken: unlessZero(report.entryToFirstTokenNanos),
  };
  const entry = Math.min(
    (timeline.ready ?? 0) - milliseconds(report.entryToReadyNanos),
    (timeline.firstToken ?? Number.POSITIVE_INFINITY) - milliseconds(report.entryToFirstTokenNanos),
  );
  const placed = Object.entries(sinceEntry)
    .filter(([, at]) => at !== undefined)
    .map(([step, at]) => [step, entry + at]);
  return { started: 0, ...Object.fromEntries(placed), ...timeline, sinceEntry };
}

/**
 * When what happened, in two columns: since the start of QEMU, and since entry by the guest's own
 * clock.
 */
export function describeBoot(timeline: Timeline, report: Report, machine: string): string {
  const steps = placeSteps(timeline, report);
  const show = (at: number | undefined) => (at === undefined ? '' : formatMilliseconds(at));
  const rows = (Object.keys(STEPS) as Step[])
    .filter((step) => steps[step] !== undefined)
    .map((step) => [STEPS[step], show(steps[step]), show(steps.sinceEntry[step])]);
  const lines = formatColumns([['', 'since start', 'since entry'], ...rows]);
  const version = findTool('qemu').version;
  const title = `Boot (QEMU ${version}, ${machine}, emulated: TCG translates every instruction)`;
  return [bold(title), lines.replace(/^/gm, '  ')].join('\n');
}

/** A title and two columns. */
export function table(title: string, rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([what]) => what.length));
  const lines = rows.map(([what, value]) => `  ${what.padEnd(width)}  ${value}`);
  return [bold(title), ...lines].join('\n');
}
