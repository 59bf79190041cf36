/**
 * What Linux has of its own on x86-64: how it is called, the calls' numbers
 * (arch/x86/entry/syscalls/syscall_64.tbl), how a thread begins, and what a signal's handler finds.
 */
export const READ: usize = 0;
export const WRITE: usize = 1;
export const CLOSE: usize = 3;
export const POLL: usize = 7;
export const LSEEK: usize = 8;
export const MMAP: usize = 9;
export const MPROTECT: usize = 10;
export const RT_SIGACTION: usize = 13;
export const RT_SIGPROCMASK: usize = 14;
export const IOCTL: usize = 16;
export const SCHED_YIELD: usize = 24;
export const MADVISE: usize = 28;
export const DUP2: usize = 33;
export const NANOSLEEP: usize = 35;
export const GETPID: usize = 39;
export const CLONE: usize = 56;
export const FORK: usize = 57;
export const EXECVE: usize = 59;
export const EXIT: usize = 60;
export const WAIT4: usize = 61;
export const KILL: usize = 62;
export const SETSID: usize = 112;
export const RT_SIGTIMEDWAIT: usize = 128;
export const SIGALTSTACK: usize = 131;
export const PRCTL: usize = 157;
export const MOUNT: usize = 165;
export const REBOOT: usize = 169;
export const FUTEX: usize = 202;
export const SCHED_GETAFFINITY: usize = 204;
export const GETDENTS64: usize = 217;
export const CLOCK_GETTIME: usize = 228;
export const EXIT_GROUP: usize = 231;
export const OPENAT: usize = 257;

/** A raw system call (syscall(2)). From -4095 to -1: an error number, negated. @inline */
export function syscall(
  number: usize,
  a: usize,
  b: usize,
  c: usize,
  d: usize,
  e: usize,
  f: usize,
): isize {
  let result: isize = 0;
  asm('syscall', {
    in: { rax: number, rdi: a, rsi: b, rdx: c, r10: d, r8: e, r9: f },
    out: { rax: result },
    clobbers: ['rcx', 'r11'],
  });
  return result;
}

/**
 * clone(2) with a stack of its own, which ends at stackTop, a multiple of 16: the child takes entry
 * and argument from there, runs entry(argument), and ends by exit(2). Gives the parent its thread's
 * id.
 * @noinline
 */
export function startThread(
  stackTop: usize,
  flags: usize,
  entry: (argument: usize) => void,
  argument: usize,
): isize {
  const top = stackTop - 16;
  store<usize>(top, changetype<usize>(entry));
  store<usize>(top, argument, 8);
  let result: isize = 0;
  asm(
    `
      syscall
      test %rax, %rax
      jnz 1f
      xor %ebp, %ebp
      pop %rax
      pop %rdi
      call *%rax
      mov $\{EXIT}, %eax
      xor %edi, %edi
      syscall
      ud2
    1:
    `,
    {
      in: { rax: CLONE, rdi: flags, rsi: top, rdx: 0, r10: 0, r8: 0 },
      out: { rax: result },
      use: { EXIT },
      clobbers: ['rcx', 'r11'],
    },
  );
  return result;
}

/** struct kernel_sigaction */
export class SignalAction {
  handler!: (signal: i32, info: usize, context: usize) => void;
  flags!: u64;
  restorer!: () => void;
  mask!: u64;
}

const SA_RESTORER: u64 = 0x4000000; // no signal is delivered without

/**
 * flags: sigaction(2). A handler that returns has a restorer to return to, which ours, who end the
 * program, never do.
 */
export function setHandler(
  action: Ptr<SignalAction>,
  handler: (signal: i32, info: usize, context: usize) => void,
  flags: u64,
): void {
  action.handler = handler;
  action.flags = flags | SA_RESTORER;
  action.restorer = neverReturn;
}

function neverReturn(): void {
  unreachable();
}

/** si_code of a SIGSEGV that is no page fault and has no address: SI_KERNEL. */
export const NO_ADDRESS: i32 = 0x80;

/**
 * Of the instruction that a signal interrupted, in its handler's ucontext_t: 40 bytes before gregs,
 * 16 registers before RIP.
 */
export const CONTEXT_INSTRUCTION: usize = 168;
