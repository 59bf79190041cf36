import { SIGNAL_STACK_BYTES, useSignalStack } from './signals.ts';
import { forbid, futexWait, futexWake, yieldCpu } from './system.ts';

/**
 * A pool of threads that share out jobs. Thread 0 is the process itself; it publishes a job by counting `round` up, runs
 * its own share and waits until `running` is back at zero. Everybody spins for a while (a share of a matrix takes
 * microseconds) and then sleeps on a futex, so that a process that waits for its user burns no CPU.
 *
 *   round    ──▶ workers: a new job is there          running ──▶ thread 0: all shares are done
 *   sleeping ──▶ thread 0: somebody must be woken     waiting ──▶ last worker: thread 0 sleeps
 *
 * A sleeper first says that it sleeps, then looks at the word again (the kernel does, in futex), then sleeps; the
 * other side first changes the word, then looks for sleepers. With sequentially consistent atomics no wake-up is lost.
 */
export const MAX_THREADS: i32 = 64;

/** One thread's part of `stacks`: a page that nobody may touch, its stack, its stack for signals. */
const STACK_BYTES: usize = 65536;
const GUARD_BYTES: usize = 4096;

/**
 * Looks at a word before going to sleep. Now and then a look gives way to other threads: the one that we wait for may stand
 * in line for this very CPU, and the kernel leaves two threads there that take turns sleeping.
 */
const SPINS: i32 = 10000;
const SPINS_PER_YIELD: i32 = 100;

/** CLONE_VM | FS | FILES | SIGHAND | THREAD | SYSVSEM: clone(2) */
const CLONE_FLAGS: usize = 0x50f00;

/** Each word has its own 128 bytes: neighbouring cache lines are fetched in pairs. */
class Word {
  value!: u32;
  reserved!: FixedArray<u32, 31>;
}

/** @align 128 */
const round = zeroed<Word>();
/** @align 128 */
const running = zeroed<Word>();
/** @align 128 */
const sleeping = zeroed<Word>();
/** @align 128 */
const waiting = zeroed<Word>();

/** @align 4096 */
const stacks = zeroed<FixedArray<u8, 4194304>>(); // MAX_THREADS × STACK_BYTES

let threads: i32 = 1;
let job: (index: i32, count: i32) => void = null;

export function coreCount(): i32 {
  return threads;
}

/** count: 1 … MAX_THREADS, thread 0 included. Fewer run if the system gives no more. */
export function startThreads(count: i32): void {
  for (let i: i32 = 1; i < count; i++) {
    forbid(stackOf(i), GUARD_BYTES);
    const top = stackOf(i) + STACK_BYTES - SIGNAL_STACK_BYTES;
    if (linux.startThread(top, CLONE_FLAGS, work, usize(i)) < 0) return;
    threads = i + 1;
  }
}

function stackOf(index: i32): usize {
  return changetype<usize>(ref(stacks[0])) + usize(index) * STACK_BYTES;
}

/** Runs task(i, coreCount()) once for each i, one per thread; returns when all are done. Not to be nested. */
export function parallel(task: (index: i32, count: i32) => void): void {
  if (threads == 1) {
    task(0, 1);
    return;
  }
  job = task;
  atomic.store<u32>(ref(running.value), u32(threads - 1));
  atomic.add<u32>(ref(round.value), 1);
  if (atomic.load<u32>(ref(sleeping.value)) != 0) futexWake(ref(round.value), MAX_THREADS);
  task(0, threads);
  waitUntilDone();
}

function waitUntilDone(): void {
  for (let i: i32 = 0; i < SPINS; i++) {
    if (atomic.load<u32>(ref(running.value)) == 0) return;
    relax(i);
  }
  atomic.store<u32>(ref(waiting.value), 1);
  while (true) {
    const left = atomic.load<u32>(ref(running.value));
    if (left == 0) break;
    futexWait(ref(running.value), left);
  }
  atomic.store<u32>(ref(waiting.value), 0);
}

/** What a thread does for the rest of its life. */
function work(index: usize): void {
  useSignalStack(stackOf(i32(index)) + STACK_BYTES - SIGNAL_STACK_BYTES);
  let seen: u32 = 0;
  while (true) {
    seen = nextRound(seen);
    job(i32(index), threads);
    const left = atomic.sub<u32>(ref(running.value), 1) - 1;
    if (left == 0 && atomic.load<u32>(ref(waiting.value)) != 0) futexWake(ref(running.value), 1);
  }
}

/** Waits for a round other than `seen`. There is never more than one: thread 0 waits for all. */
function nextRound(seen: u32): u32 {
  for (let i: i32 = 0; i < SPINS; i++) {
    const now = atomic.load<u32>(ref(round.value));
    if (now != seen) return now;
    relax(i);
  }
  atomic.add<u32>(ref(sleeping.value), 1);
  let now = atomic.load<u32>(ref(round.value));
  while (now == seen) {
    futexWait(ref(round.value), seen);
    now = atomic.load<u32>(ref(round.value));
  }
  atomic.sub<u32>(ref(sleeping.value), 1);
  return now;
}

function relax(spin: i32): void {
  if (spin % SPINS_PER_YIELD == SPINS_PER_YIELD - 1) yieldCpu();
  else cpu.pause();
}
