import { CONTEXT_INSTRUCTION, NO_ADDRESS, type SignalAction, setHandler } from 'arch/linux';
import { addAddress, addText, type Line } from '../line.ts';
import { refusedInstruction, stopWith } from '../panic.ts';
import { setSignalAction, setSignalStack } from './system.ts';

/**
 * A CPU exception reaches a process as a signal. The handler says what happened and ends the
 * process, so that a fault reads the same on every machine. signal(7), sigaction(2).
 */
const SIGILL: i32 = 4;
const SIGTRAP: i32 = 5;
const SIGBUS: i32 = 7;
const SIGFPE: i32 = 8;
const SIGSEGV: i32 = 11;

const SA_SIGINFO: u64 = 0x4;
const SA_ONSTACK: u64 = 0x8000000;

/** stack_t */
class Stack {
  start!: usize;
  flags!: i32;
  length!: usize;
}

/** siginfo_t: si_code, and the address that could not be reached (SIGSEGV, SIGBUS). */
const INFO_CODE: usize = 8;
const INFO_ADDRESS: usize = 16;

/**
 * A thread's stack may be what ran out, so each has a second one. It holds all registers, of
 * AVX-512 and AMX too.
 */
export const SIGNAL_STACK_BYTES: usize = 32768;
/** The first thread's. @align 16 */
const signalStack = zeroed<FixedArray<u8, 32768>>();

export function catchFaults(): void {
  useSignalStack(changetype<usize>(ref(signalStack[0])));
  const action = zeroed<SignalAction>();
  setHandler(ref(action), onFault, SA_SIGINFO | SA_ONSTACK);
  setSignalAction(SIGILL, ref(action));
  setSignalAction(SIGTRAP, ref(action));
  setSignalAction(SIGBUS, ref(action));
  setSignalAction(SIGFPE, ref(action));
  setSignalAction(SIGSEGV, ref(action));
}

/** start: of SIGNAL_STACK_BYTES, for the calling thread. */
export function useSignalStack(start: usize): void {
  const stack = zeroed<Stack>();
  stack.start = start;
  stack.length = SIGNAL_STACK_BYTES;
  setSignalStack(changetype<usize>(ref(stack)));
}

function onFault(signal: i32, info: usize, context: usize): void {
  const instruction = load<u64>(context, CONTEXT_INSTRUCTION);
  const line = zeroed<Line>();
  addText(ref(line), '\npanic: ');
  const hasAddress = load<i32>(info, INFO_CODE) != NO_ADDRESS;
  if (signal == SIGILL) addText(ref(line), refusedInstruction(instruction));
  else addText(ref(line), faultName(signal, hasAddress));
  if ((signal == SIGSEGV || signal == SIGBUS) && hasAddress) {
    addAddress(ref(line), ' at address ', load<u64>(info, INFO_ADDRESS));
  }
  addAddress(ref(line), ', instruction at ', instruction);
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
