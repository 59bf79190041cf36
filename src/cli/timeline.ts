/** The boot timeline, as `mu demo` and `mu boot --timeline` print it. */
import { styleText } from 'node:util';
import type { Timeline } from '../console/guest.ts';
import type { Report } from '../console/report.ts';
import { findTool } from '../toolchain/find.ts';
import { formatMilliseconds } from './terminal.ts';

/** When what happened, from the start of QEMU and by the guest's own clock. */
export function describeBoot(timeline: Timeline, report: Report, machine: string): string {
  const version = findTool('qemu').version;
  const rows: [string, number | undefined][] = [
    ['QEMU started', 0],
    ['first byte on the console', timeline.firstByte],
    ['ready for a prompt', timeline.ready],
    ['first token', timeline.firstToken],
    ['last token', timeline.lastToken],
    ['powered off', timeline.exited],
  ];
  return table(`Boot (QEMU ${version}, ${machine}, emulated: TCG translates every instruction)`, [
    ...rows.map(
      ([what, at]) => [what, at === undefined ? 'never' : formatMilliseconds(at)] as const,
    ),
    ['reset → entry, by the guest’s clock', formatMilliseconds(Number(report.bootNanos) / 1e6)],
    [
      'entry → ready, by the guest’s clock',
      formatMilliseconds(Number(report.entryToReadyNanos) / 1e6),
    ],
  ]);
}

/** A title and two columns. */
export function table(title: string, rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([what]) => what.length));
  const lines = rows.map(([what, value]) => `  ${what.padEnd(width)}  ${value}`);
  return [bold(title), ...lines].join('\n');
}

export function bold(text: string): string {
  return process.stdout.isTTY ? styleText('bold', text) : text;
}
