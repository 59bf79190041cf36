import {
  CLOSE,
  DUP2,
  EXECVE,
  FORK,
  KILL,
  MOUNT,
  NANOSLEEP,
  PRCTL,
  SETSID,
  WAIT4,
} from 'arch/linux';
import {
  exit,
  ioctl,
  O_RDWR,
  openAs,
  STDIN,
  syscall1,
  syscall2,
  syscall3,
  syscall4,
  write,
} from '../machine/process/system.ts';
import { SIGKILL, SIGTERM } from './signals.ts';

/**
 * Processes and what they talk to: fork(2), execve(2), wait(2), setsid(2), kill(2), ioctl_tty(2),
 * prctl(2), mount(2).
 */

const O_NOCTTY: usize = 0x100;
const O_NONBLOCK: usize = 0x800;
const O_CLOEXEC: usize = 0x80000;
const TIOCSCTTY: usize = 0x540e;
const PR_SET_SECUREBITS: usize = 28;
const WITHOUT_ROOT: usize = 3; // SECBIT_NOROOT, SECBIT_NOROOT_LOCKED
const WNOHANG: usize = 1;
const ANY: isize = -1;

/**
 * Whether a device is there and works: a serial port that the machine lacks can be opened, but not
 * written.
 */
export function isUsable(path: string): bool {
  const file = openAs(utf8(path), O_RDWR | O_NOCTTY | O_NONBLOCK);
  const isGood = file >= 0 && write(i32(file), utf8(path), 0) >= 0;
  syscall1(CLOSE, usize(file));
  return isGood;
}

/** 0 in the child, the child's id in the parent. */
export function fork(): i32 {
  return i32(syscall1(FORK, 0));
}

/**
 * Makes the terminal the process's input and output. leads: also that of a session of its own,
 * which Ctrl-C reaches. When such a process ends, Linux forgets what the terminal has yet to send:
 * no good for a panic's line.
 */
export function moveTo(path: string, leads: bool): void {
  if (leads) syscall1(SETSID, 0);
  const terminal = openAs(utf8(path), O_RDWR | O_CLOEXEC);
  for (let i: i32 = 0; i < 3; i++) syscall2(DUP2, usize(terminal), usize(i));
  if (leads) ioctl(STDIN, TIOCSCTTY, 0);
}

/**
 * The program in place of this process, with up to two arguments (null: none), no environment, and
 * none of the rights that user 0 has: it can mount nothing, nor make the root writable.
 */
export function execute(program: string, first: Ptr<u8>, second: Ptr<u8>): void {
  const words = zeroed<FixedArray<Ptr<u8>, 4>>();
  words[0] = utf8(program);
  words[1] = first;
  words[2] = second;
  syscall2(PRCTL, PR_SET_SECUREBITS, WITHOUT_ROOT);
  syscall2(EXECVE, changetype<usize>(words[0]), changetype<usize>(ref(words[0])));
  exit(127); // as shells do
}

/**
 * A child that has ended, and how (wait(2)). waits: until there is one; else 0 if there is none
 * yet. Below zero: there are no children.
 */
export function reap(status: Ptr<i32>, waits: bool): i32 {
  return i32(syscall3(WAIT4, usize(ANY), changetype<usize>(status), waits ? 0 : WNOHANG));
}

/** Ends every process but this one: asks them to, gives them a fifth of a second, then kills. */
export function endAll(): void {
  syscall2(KILL, usize(ANY), usize(SIGTERM));
  for (let i: i32 = 0; i < 10 && reap(null, false) >= 0; i++) sleep(20);
  syscall2(KILL, usize(ANY), usize(SIGKILL));
}

class Time {
  seconds!: i64;
  nanoseconds!: i64;
}

/** milliseconds: below 1000 */
export function sleep(milliseconds: i32): void {
  const time = zeroed<Time>();
  time.nanoseconds = i64(milliseconds) * 1000000;
  syscall1(NANOSLEEP, changetype<usize>(ref(time)));
}

/** A file system of this type appears at `place`; both end with a zero byte. */
export function mount(type: string, place: string, flags: usize): void {
  const name = changetype<usize>(utf8(type));
  syscall4(MOUNT, name, changetype<usize>(utf8(place)), name, flags);
}
