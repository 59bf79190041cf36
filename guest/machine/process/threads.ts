import { startThread } from 'arch/linux';
import { MAX_CORES, setCoreCount, startPool, work } from '../pool.ts';
import { SIGNAL_STACK_BYTES, useSignalStack } from './signals.ts';
import { forbid, futexWait, futexWake, yieldCpu } from './system.ts';

/** The pool's cores are threads of the process: clone starts them, a futex is where they sleep. */

/**
 * One thread's part of `stacks`: a page that nobody may touch, its stack, its stack for signals.
 */
const STACK_BYTES: usize = 65536;
const GUARD_BYTES: usize = 4096;

/** Tens to hundreds of microseconds: waking a thread costs the system no less. */
const SPINS: i32 = 10000;

/** CLONE_VM | FS | FILES | SIGHAND | THREAD | SYSVSEM: clone(2) */
const CLONE_FLAGS: usize = 0x50f00;

/** @align 4096 */
const stacks = zeroed<FixedArray<u8, 4194304>>(); // MAX_CORES × STACK_BYTES

/** count: 1 … MAX_CORES, thread 0 included. Fewer run if the system gives no more. */
export function startThreads(count: i32): void {
  startPool(futexWait, wakeAll, yieldCpu, SPINS);
  for (let i: i32 = 1; i < count; i++) {
    forbid(stackOf(i), GUARD_BYTES);
    const top = stackOf(i) + STACK_BYTES - SIGNAL_STACK_BYTES;
    if (startThread(top, CLONE_FLAGS, begin, usize(i)) < 0) return;
    setCoreCount(i + 1);
  }
}

function stackOf(index: i32): usize {
  return changetype<usize>(ref(stacks[0])) + usize(index) * STACK_BYTES;
}

function begin(index: usize): void {
  useSignalStack(stackOf(i32(index)) + STACK_BYTES - SIGNAL_STACK_BYTES);
  work(i32(index));
}

function wakeAll(word: Ptr<u32>): void {
  futexWake(word, MAX_CORES);
}
