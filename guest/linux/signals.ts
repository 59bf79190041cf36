import { RT_SIGPROCMASK, RT_SIGTIMEDWAIT } from 'arch/linux';
import { syscall4 } from '../machine/process/system.ts';

/**
 * Signals that are waited for in turn, not handled as they come: rt_sigprocmask(2),
 * rt_sigtimedwait(2), signal(7).
 */
const SIG_SETMASK: usize = 2;

export const SIGKILL: i32 = 9;
export const SIGTERM: i32 = 15;
export const SIGCHLD: i32 = 17;

/** SIGUSR1 (10), SIGUSR2 (12), SIGTERM, SIGCHLD as a set: signal n is bit n-1. */
const AWAITED: FixedArray<u64> = [0x14a00];
const NONE: FixedArray<u64> = [0];
const SET_BYTES: usize = 8;

/**
 * Keeps those signals until they are asked for, or lets them take their course, which a new program
 * wants.
 */
export function holdSignals(holds: bool): void {
  const set = holds ? ref(AWAITED[0]) : ref(NONE[0]);
  syscall4(RT_SIGPROCMASK, SIG_SETMASK, changetype<usize>(set), 0, SET_BYTES);
}

/** Waits for one of them. */
export function nextSignal(): i32 {
  return i32(syscall4(RT_SIGTIMEDWAIT, changetype<usize>(ref(AWAITED[0])), 0, 0, SET_BYTES));
}
