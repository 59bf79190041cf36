import { expect, test } from 'vitest';
import { placeSteps } from '../../src/cli/timeline.ts';
import { PROTOCOL_VERSION } from '../../src/console/protocol.ts';
import { decodeReport, type Report } from '../../src/console/report.ts';

const nothing = decodeReport(`0${PROTOCOL_VERSION}${'00'.repeat(111)}`) as Report;
const report: Report = {
  ...nothing,
  entryToPackMappedNanos: 1_000_000n,
  entryToCoresUpNanos: 2_000_000n,
  entryToReadyNanos: 3_000_000n,
  entryToPromptNanos: 5_000_000n,
  entryToFirstTokenNanos: 9_000_000n,
};

test('what only the guest saw is placed by what arrived soonest', () => {
  const timeline = { firstByte: 50, ready: 104, firstToken: 109.5, lastToken: 120, exited: 130 };
  const { sinceEntry, ...steps } = placeSteps(timeline, report);
  const placed = { entry: 100.5, memoryReady: 100.5, packMapped: 101.5, coresUp: 102.5 };
  expect(steps).toEqual({ started: 0, ...placed, firstPromptToken: 105.5, ...timeline });
  expect(sinceEntry).toMatchObject({ reset: undefined, entry: 0, memoryReady: 0, ready: 3 });
  const booted = placeSteps({ ready: 104 }, { ...report, bootNanos: 20_000_000n });
  expect(booted).toMatchObject({ reset: 81, entry: 101, sinceEntry: { reset: -20 } });
  expect(booted.exited).toBe(undefined);
  const silent = placeSteps({ ready: 104 }, { ...report, entryToFirstTokenNanos: 0n });
  expect(Object.keys(silent)).not.toContain('firstToken');
});
