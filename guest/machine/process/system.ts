import {
  CLOCK_GETTIME,
  EXIT_GROUP,
  FUTEX,
  GETPID,
  IOCTL,
  LSEEK,
  MADVISE,
  MMAP,
  MPROTECT,
  OPENAT,
  POLL,
  READ,
  REBOOT,
  RT_SIGACTION,
  SCHED_GETAFFINITY,
  SCHED_YIELD,
  SIGALTSTACK,
  type SignalAction,
  syscall,
  WRITE,
} from 'arch/linux';

/**
 * The Linux system calls that a process needs, and their constants; the numbers are the
 * architecture's (arch/linux). A result from -4095 to -1 is an error number, negated.
 *
 * | call          | why                                             |
 * |---------------|-------------------------------------------------|
 * | openat lseek mmap madvise | the pack: its length and its pages  |
 * | read write poll | console                                       |
 * | clock_gettime | clock                                           |
 * | clone futex sched_yield mprotect | threads (clone: arch/linux) and the ends of their stacks |
 * | rt_sigaction sigaltstack | a fault becomes a readable panic     |
 * | exit_group    | end                                             |
 * | getpid ioctl sched_getaffinity reboot | the first process: its console, its CPUs, its end |
 */
export const STDIN: i32 = 0;
export const STDOUT: i32 = 1;
export const STDERR: i32 = 2;

export const EINTR: isize = -4;
export const EAGAIN: isize = -11;

/** AT_FDCWD: paths are relative to the working directory. */
const WORKING_DIRECTORY: isize = -100;
const O_RDONLY: usize = 0;
export const O_RDWR: usize = 2;
const SEEK_END: usize = 2;

const PROT_NONE: usize = 0;
const PROT_READ: usize = 1;
const MAP_PRIVATE: usize = 2;
const MADV_HUGEPAGE: usize = 14;
const MADV_POPULATE_READ: usize = 22; // since Linux 5.14

const FUTEX_WAIT_PRIVATE: usize = 128;
const FUTEX_WAKE_PRIVATE: usize = 129;

const CLOCK_MONOTONIC: usize = 1;

const REBOOT_MAGIC: usize = 0xfee1dead;
const REBOOT_MAGIC_2: usize = 0x28121969;

export const POLLIN: i16 = 1;
export const POLLOUT: i16 = 4;

class PollFile {
  file!: i32;
  events!: i16;
  returned!: i16;
}

class Time {
  seconds!: i64;
  nanoseconds!: i64;
}

export function syscall1(number: usize, a: usize): isize {
  return syscall(number, a, 0, 0, 0, 0, 0);
}

export function syscall2(number: usize, a: usize, b: usize): isize {
  return syscall(number, a, b, 0, 0, 0, 0);
}

export function syscall3(number: usize, a: usize, b: usize, c: usize): isize {
  return syscall(number, a, b, c, 0, 0, 0);
}

export function syscall4(number: usize, a: usize, b: usize, c: usize, d: usize): isize {
  return syscall(number, a, b, c, d, 0, 0);
}

export function read(file: i32, to: Ptr<u8>, length: usize): isize {
  return syscall3(READ, usize(file), changetype<usize>(to), length);
}

export function write(file: i32, from: Ptr<u8>, length: usize): isize {
  return syscall3(WRITE, usize(file), changetype<usize>(from), length);
}

/**
 * Waits until one of the events is there, at most `milliseconds` (-1: for ever). 1: it is; 0: time
 * is up.
 */
export function waitFor(file: i32, events: i16, milliseconds: i32): isize {
  const one = zeroed<PollFile>();
  one.file = file;
  one.events = events;
  return syscall3(POLL, changetype<usize>(ref(one)), 1, usize(isize(milliseconds)));
}

/** path: ended by a zero byte. Gives a file that can be read. */
export function open(path: Ptr<u8>): isize {
  return openAs(path, O_RDONLY);
}

/** flags: open(2) */
export function openAs(path: Ptr<u8>, flags: usize): isize {
  return syscall3(OPENAT, usize(WORKING_DIRECTORY), changetype<usize>(path), flags);
}

export function fileLength(file: i32): isize {
  return syscall3(LSEEK, usize(file), 0, SEEK_END);
}

/**
 * The file's bytes as memory. Asks for huge pages, which few file systems give, then for all pages
 * at once; where the kernel knows neither, pages come in as they are touched.
 */
export function mapFile(file: i32, length: usize): isize {
  const start = syscall(MMAP, 0, length, PROT_READ, MAP_PRIVATE, usize(file), 0);
  if (start >= 0 || start < -4095) {
    adviseLargePages(usize(start), length);
    syscall3(MADVISE, usize(start), length, MADV_POPULATE_READ);
  }
  return start;
}

/** Whole pages that had better be large ones. */
export function adviseLargePages(start: usize, length: usize): void {
  syscall3(MADVISE, start, length, MADV_HUGEPAGE);
}

/** Whole pages that nobody may touch from now on. */
export function forbid(start: usize, length: usize): void {
  syscall3(MPROTECT, start, length, PROT_NONE);
}

/** Lets another thread have the CPU if one waits for it. */
export function yieldCpu(): void {
  syscall1(SCHED_YIELD, 0);
}

/** Sleeps while *word is `value`. */
export function futexWait(word: Ptr<u32>, value: u32): void {
  syscall4(FUTEX, changetype<usize>(word), FUTEX_WAIT_PRIVATE, usize(value), 0);
}

export function futexWake(word: Ptr<u32>, sleepers: i32): void {
  syscall3(FUTEX, changetype<usize>(word), FUTEX_WAKE_PRIVATE, usize(sleepers));
}

/** Nanoseconds since some time before the process began. */
export function monotonicNanos(): u64 {
  const time = zeroed<Time>();
  syscall2(CLOCK_GETTIME, CLOCK_MONOTONIC, changetype<usize>(ref(time)));
  return u64(time.seconds) * 1000000000 + u64(time.nanoseconds);
}

/** Its mask has 8 bytes. */
export function setSignalAction(signal: i32, action: Ptr<SignalAction>): void {
  syscall4(RT_SIGACTION, usize(signal), changetype<usize>(action), 0, 8);
}

/** stack: stack_t */
export function setSignalStack(stack: usize): void {
  syscall2(SIGALTSTACK, stack, 0);
}

export function processId(): i32 {
  return i32(syscall1(GETPID, 0));
}

/** argument: a number or an address, as the request has it. */
export function ioctl(file: i32, request: usize, argument: usize): isize {
  return syscall3(IOCTL, usize(file), request, argument);
}

/** CPUs that the calling thread may run on, at least one. */
export function cpuCount(): i32 {
  const mask = zeroed<FixedArray<u64, 16>>();
  const bytes = syscall3(
    SCHED_GETAFFINITY,
    0,
    sizeof<FixedArray<u64, 16>>(),
    changetype<usize>(ref(mask)),
  );
  let count: u64 = 0;
  for (let i: isize = 0; i < bytes / 8; i++) count += popcnt(mask[i]);
  return max(i32(count), 1);
}

/** command: reboot(2). Returns only if it was refused. */
export function reboot(command: u32): void {
  syscall3(REBOOT, REBOOT_MAGIC, REBOOT_MAGIC_2, usize(command));
}

export function exit(code: i32): void {
  while (true) syscall1(EXIT_GROUP, usize(code));
}
