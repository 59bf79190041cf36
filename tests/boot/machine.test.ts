import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { sampler } from '../sample.ts';
import {
  exitCode,
  type Guest,
  LEFT_OUT,
  PACK,
  PLACES,
  PREPARE_LIMIT,
  prepare,
  start,
} from './start.ts';

const EOT = '\x04';

if (LEFT_OUT) test.skip(`machine: ${LEFT_OUT}`);

/** The kernel of `diet` knows one processor. */
const ROWS = PLACES.flatMap((place) =>
  (place === 'diet' ? [1] : [2, 4]).map((cores) => ({ place, cores })),
);
const leftOut = sampler(ROWS, ({ place, cores }) => [place, cores]);

describe.each(PLACES)('machine: %s', (place) => {
  beforeAll(() => prepare(place), PREPARE_LIMIT);

  /** One boot answers all that needs none of its own. */
  let shared: Promise<{ guest: Guest; startedAt: number }> | undefined;
  const running = () => {
    shared ??= (async () => {
      const startedAt = performance.now();
      const guest = await start(place);
      await guest.waitFor('ready\n');
      return { guest, startedAt };
    })();
    return shared;
  };
  /** Sends letters to it; what it writes then, so many lines. */
  const talk = async (text: string, lines = 1) => {
    const { guest } = await running();
    const before = guest.output().length;
    guest.send(text);
    for (;;) {
      const said = guest.output().slice(before);
      if (said.split('\n').length > lines) return said;
      const hasEnded = (guest.child.exitCode ?? guest.child.signalCode) !== null;
      if (hasEnded) throw new Error(`it ended: ${guest.output()}`);
      await sleep(5);
    }
  };

  test('echoes a line, every byte value but the line feed', async () => {
    const bytes = Array.from({ length: 255 }, (_, i) => String.fromCharCode(i < 10 ? i : i + 1));
    const line = bytes.join('');
    expect(await talk(`e${line}\n`)).toBe(`${line}\n`);
  });

  test('reads 30,000 bytes sent at once and loses none', async () => {
    const line = Array.from({ length: 30_000 }, (_, i) => String.fromCharCode(65 + ((i * i) % 57)));
    const hash = line.reduce((h, c) => Math.imul(h ^ c.charCodeAt(0), 0x01000193), 0x811c9dc5);
    expect(await talk(`h${line.join('')}\n`, 2)).toBe(`length 30000\nhash ${hash >>> 0}\n`);
  });

  test('the clock begins at entry', async () => {
    const { startedAt } = await running();
    const [, nanos] = /now (\d+)/.exec(await talk('n'))!;
    expect(Number(nanos)).toBeLessThan((performance.now() - startedAt) * 1e6);
  });

  test('tells time since reset only if it knows', async () => {
    const { startedAt } = await running();
    const nanos = Number(/boot (\d+)/.exec(await talk('b'))![1]);
    if (place === 'process') expect(nanos).toBe(0);
    else expect(nanos).toBeGreaterThan(100_000);
    expect(nanos).toBeLessThan((performance.now() - startedAt) * 1e6);
  });

  test('sees the whole pack, aligned', async () => {
    const first = `0x${PACK.readBigUInt64LE(0).toString(16)}`;
    const last = `0x${PACK[PACK.length - 1].toString(16)}`;
    expect(await talk('p')).toBe(
      `pack ${PACK.length} bytes, first ${first}, last ${last}, misaligned 0\n`,
    );
  });

  test('computes with vectors', async () => {
    expect(await talk('v')).toBe('sum 48\n');
  });

  test('writes 180,000 bytes to a slow reader and loses none', async () => {
    const { guest } = await running();
    guest.child.stdout.pause();
    const said = talk('l', 20_000);
    await sleep(200);
    guest.child.stdout.resume();
    const lines = Array.from({ length: 20_000 }, (_, i) => `${10_000_000 + i}\n`);
    expect((await said) === lines.join('')).toBe(true);
  });

  test('poll says that nothing is there, and later gives the byte', async () => {
    expect(await talk('o')).toBe('polling\n');
    await sleep(50);
    expect(await talk('A')).toBe('polled 65\n');
  });

  test('runs a job once per core: 1', async () => {
    expect(await talk('a', 2)).toBe('cores 1\nindices right 64\n');
  });

  test('EOT switches it off, and it has said nothing else', async () => {
    const { guest } = await running();
    const before = guest.output();
    expect(await guest.end(EOT)).toMatchObject({ code: 0, output: before });
  });

  // Linux empties the serial port when it opens it; UEFI takes what comes before we have it for its
  // own.
  const keeps = place === 'diet' || place === 'uefi' ? test.skip : test;
  keeps('keeps a byte that was typed before it was there', async () => {
    const guest = await start(place);
    guest.send('v');
    await guest.waitFor('ready\nsum 48\n');
    expect((await guest.end(EOT)).code).toBe(0);
  });

  for (const row of ROWS.filter((row) => row.place === place)) {
    const { cores } = row;
    const reason = leftOut(row);
    const name = `runs a job once per core: ${cores}; does not compute while it waits for input`;
    test.skipIf(reason)(name + reason, async () => {
      const guest = await start(place, { cores });
      const whole = `ready\ncores ${cores}\nindices right 64\n`;
      await guest.waitFor('ready');
      guest.send('a');
      await guest.waitFor(whole);
      await sleep(100);
      const before = cpuTicks(guest.child.pid!);
      await sleep(1000);
      expect(cpuTicks(guest.child.pid!) - before).toBeLessThanOrEqual(25); // of 100
      expect(await guest.end(EOT)).toMatchObject({ code: 0, output: whole });
    });
  }

  test('powerOff ends it', async () => {
    const guest = await start(place);
    await guest.waitFor('ready');
    const { code, output } = await guest.end('x');
    expect(output).toBe('ready\n');
    expect(code).toBe(exitCode(place, 7));
  });

  // A busy host disturbs how an emulated machine measures the rate: one boot of five that is right
  // shows that we measure the right thing.
  test('the clock runs as fast as ours', { retry: 4 }, async () => {
    const guest = await start(place);
    await guest.waitFor('ready');
    // A reading lies between the moments at which we asked and heard: the two bounds of its
    // difference.
    const before = await timeOf(guest, 1);
    await sleep(500);
    const after = await timeOf(guest, 2);
    const passed = after.nanos - before.nanos;
    expect(passed).toBeGreaterThan((after.asked - before.heard) * 0.99);
    expect(passed).toBeLessThan((after.heard - before.asked) * 1.01);
    await guest.end(EOT);
  });
});

/**
 * User and system time of a process and its threads, in hundredths of a second: proc(5), stat
 * fields 14 and 15.
 */
function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/**
 * Asks for the guest's clock for the n-th time: its answer, and when we asked and heard, in
 * nanoseconds.
 */
async function timeOf(guest: Guest, n: number) {
  const asked = performance.now() * 1e6;
  guest.send('n');
  let answers: RegExpExecArray[] = [];
  while (answers.length < n) {
    await sleep(1);
    answers = [...guest.output().matchAll(/now (\d+)\n/g)];
  }
  return { asked, heard: performance.now() * 1e6, nanos: Number(answers[n - 1][1]) };
}
