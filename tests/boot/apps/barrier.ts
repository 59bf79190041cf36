import { pause } from 'arch/cpu';
import { coreCount, now, parallel, write } from 'machine';
import { addNumber, addText, type Line } from '../../../guest/machine/line.ts';

const ROUNDS: u64 = 20000;
const WAKINGS: u64 = 20;
/** Longer than any worker looks for work before it sleeps. */
const REST_NANOS: u64 = 20000000;

/**
 * What one call of parallel() costs that has nothing to do: right after another one, and when all
 * workers sleep.
 */
export function main(): void {
  tell('cores ', u64(coreCount()));
  let least = u64.MAX_VALUE;
  for (let i: u64 = 0; i < 5; i++) least = min(least, roundNanos());
  tell('nanoseconds per job ', least);
  tell('nanoseconds from sleep ', wakeNanos());
}

/**
 * A chain of dependent additions and nothing else, the same on each core: a few hundred nanoseconds
 * to two microseconds.
 */
function chain(index: i32, count: i32): void {
  let sum = u64(index) + u64(count);
  for (let i: u64 = 0; i < steps; i++) sum = (sum * 0x5851f42d4c957f2d) ^ i;
  volatile.store<u64>(ref(sums[index * 16]), sum);
}

const sums = zeroed<FixedArray<u64, 1024>>();
let steps: u64 = 0;

/** What parallel() takes longer than the job alone. */
function roundNanos(): u64 {
  const start = now();
  for (let i: u64 = 0; i < ROUNDS; i++) {
    steps = 300 + ((i * 7919) % 1000);
    chain(0, 1);
  }
  const alone = now() - start;
  const together = now();
  for (let i: u64 = 0; i < ROUNDS; i++) {
    steps = 300 + ((i * 7919) % 1000);
    parallel(chain);
  }
  return (now() - together - alone) / ROUNDS;
}

/** Mean of some. */
function wakeNanos(): u64 {
  let sum: u64 = 0;
  for (let i: u64 = 0; i < WAKINGS; i++) {
    const rest = now();
    while (now() - rest < REST_NANOS) pause();
    const start = now();
    parallel(chain);
    sum += now() - start;
  }
  return sum / WAKINGS;
}

function tell(text: string, value: u64): void {
  const line = zeroed<Line>();
  addNumber(ref(line), text, value);
  addText(ref(line), '\n');
  write(ref(line.bytes[0]), line.length);
}
