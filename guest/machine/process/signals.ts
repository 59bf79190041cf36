import { addAddress, addText, type Line } from '../line.ts';
import { refusedInstruction, stopWith } from '../panic.ts';
import { setSignalAction, setSignalStack } from './system.ts';

/**
 * A CPU exception reaches a process as a signal. The handler says what happened and ends the process, so that a fault
 * reads the same on every machine. signal(7), sigaction(2).
 */
const SIGILL: i32 = 4;
const SIGTRAP: i32 = 5;
const SIGBUS: i32 = 7;
const SIGFPE: i32 = 8;
const SIGSEGV: i32 = 11;

const SA_SIGINFO: u64 = 0x4;
const SA_RESTORER: u64 = 0x4000000; // x86-64 delivers no signal without
const SA_ONSTACK: u64 = 0x8000000;

/** struct kernel_sigaction */
class Action {
  handler!: (signal: i32, info: usize, context: usize) => void;
  flags!: u64;
  restorer!: () => void;
  mask!: u64;
}

/** stack_t */
class Stack {
  start!: usize;
  flags!: i32;
  length!: usize;
}

/** siginfo_t: si_code, SI_KERNEL for a SIGSEGV that is no page fault; the address that could not be reached (SIGSEGV, SIGBUS). */
const INFO_CODE: usize = 8;
const SI_KERNEL: i32 = 0x80;
const INFO_ADDRESS: usize = 16;
/** ucontext_t: uc_mcontext.gregs[REG_RIP]; 40 bytes before gregs, 16 registers before RIP. */
const CONTEXT_RIP: usize = 168;

/** A thread's stack may be what ran out, so each has a second one. It holds all registers, of AVX-512 and AMX too. */
export const SIGNAL_STACK_BYTES: usize = 32768;
/** The first thread's. @align 16 */
const signalStack = zeroed<FixedArray<u8, 32768>>();

export function catchFaults(): void {
  useSignalStack(changetype<usize>(ref(signalStack[0])));
  const action = zeroed<Action>();
  action.handler = onFault;
  action.flags = SA_SIGINFO | SA_RESTORER | SA_ONSTACK;
  action.restorer = neverReturn;
  setSignalAction(SIGILL, changetype<usize>(ref(action)));
  setSignalAction(SIGTRAP, changetype<usize>(ref(action)));
  setSignalAction(SIGBUS, changetype<usize>(ref(action)));
  setSignalAction(SIGFPE, changetype<usize>(ref(action)));
  setSignalAction(SIGSEGV, changetype<usize>(ref(action)));
}

/** start: of SIGNAL_STACK_BYTES, for the calling thread. */
export function useSignalStack(start: usize): void {
  const stack = zeroed<Stack>();
  stack.start = start;
  stack.length = SIGNAL_STACK_BYTES;
  setSignalStack(changetype<usize>(ref(stack)));
}

function neverReturn(): void {
  unreachable();
}

function onFault(signal: i32, info: usize, context: usize): void {
  const instruction = load<u64>(context, CONTEXT_RIP);
  const line = zeroed<Line>();
  addText(ref(line), '\npanic: ');
  const hasAddress = load<i32>(info, INFO_CODE) != SI_KERNEL;
  if (signal == SIGILL) addText(ref(line), refusedInstruction(instruction));
  else addText(ref(line), faultName(signal, hasAddress));
  if ((signal == SIGSEGV || signal == SIGBUS) && hasAddress) {
    addText(ref(line), ' at address ');
    addAddress(ref(line), load<u64>(info, INFO_ADDRESS));
  }
  addText(ref(line), ', instruction at ');
  addAddress(ref(line), instruction);
  addText(ref(line), '\n');
  stopWith(ref(line));
}

/** The names that guest/machine/pc gives the same exceptions. */
function faultName(signal: i32, hasAddress: bool): string {
  switch (signal) {
    case SIGTRAP:
      return 'breakpoint';
    case SIGFPE:
      return 'divide error';
    case SIGBUS:
      return 'bus error';
    default:
      return hasAddress ? 'page fault' : 'general protection';
  }
}
