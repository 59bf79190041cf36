import { MOST_CORES } from '../../machine/limits.ts';
import { addAddress, addText, type Line } from '../../machine/line.ts';
import { refusedInstruction, stopWith } from '../../machine/panic.ts';
import {
  lgdt,
  lidt,
  ltr,
  readCodeSelector,
  readCr2,
  sgdt,
  type TableRegister,
} from './instructions.ts';

/**
 * The CPU's exceptions (Intel SDM vol. 3, table 6-1): each becomes one readable line, on a stack of
 * its own, since the stack may be what went wrong. No exception is ever returned from. Device
 * interrupts stay off but for apic.ts. The descriptors that a machine began with are kept, with the
 * tasks behind them: whoever interrupts goes on by the code selector in use.
 */
const EXCEPTIONS: u16 = 32;
/** Gates: the exceptions, then apic.ts's own. */
const GATES: u16 = 35;

/** By vector; table 6-1's description. */
const NAMES: FixedArray<string> = [
  'divide error',
  'debug exception',
  'non-maskable interrupt',
  'breakpoint',
  'overflow',
  'bound range exceeded',
  'invalid opcode',
  'no vector unit',
  'double fault',
  'coprocessor overrun',
  'invalid task state',
  'segment not present',
  'stack fault',
  'general protection',
  'page fault',
  'reserved exception',
  'x87 float error',
  'misaligned access',
  'machine check',
  'SIMD float error',
  'virtualization exception',
  'control protection',
];
const INVALID_OPCODE: usize = 6;
const PAGE_FAULT: usize = 14;

/**
 * Error code of a page fault (4.7): bit 0 the page is there, bit 1 a write, bit 4 an instruction
 * fetch.
 */
const FAULT_PRESENT: u64 = 1;
const FAULT_WRITE: u64 = 2;
const FAULT_FETCH: u64 = 16;

/** What the CPU pushes (6.12.1). */
class Frame {
  instruction!: u64;
  codeSelector!: u64;
  flags!: u64;
  stack!: u64;
  stackSelector!: u64;
}

/** 64-bit interrupt gate (figure 6-8). type 8eh: present, interrupts off. */
class Gate {
  offsetLow!: u16;
  selector!: u16;
  stack!: u8;
  type!: u8;
  offsetMiddle!: u16;
  offsetHigh!: u32;
  reserved!: u32;
}
const INTERRUPT_GATE: u8 = 0x8e;

/**
 * 64-bit task state (figure 8-11): only the stacks that gates name.
 * @packed
 */
class TaskState {
  reserved0!: u32;
  privilegeStacks!: FixedArray<u64, 3>;
  reserved1!: u64;
  stacks!: FixedArray<u64, 7>;
  reserved2!: u64;
  reserved3!: u16;
  ioMap!: u16;
}

/** A task state's descriptor has two halves. */
const TASK_PRESENT: u64 = 0x890000000000;
/** Room for those that there were: an entry stub's three; EDK II's firmware has nine. */
const MOST_EARLIER: usize = 32;
const DESCRIPTORS: i32 = i32(MOST_EARLIER) + 2 * MOST_CORES;

/** @align 16 */
const gates = zeroed<FixedArray<Gate, typeof GATES>>();
/** One for each core, as are the two below. @align 16 */
const tasks = zeroed<FixedArray<TaskState, typeof MOST_CORES>>();
/** @align 16 */
const exceptionStacks = zeroed<FixedArray<FixedArray<u8, 4096>, typeof MOST_CORES>>();
/** @align 16 */
const descriptors = zeroed<FixedArray<u64, typeof DESCRIPTORS>>();
/** Index of the first core's task; each further core's is 2 more. */
let firstTask: usize = 0;

/**
 * For the first core; the others' follow by useExceptions(). False: it began with more descriptors
 * than we can keep, and nothing has changed.
 */
export function catchExceptions(): bool {
  const earlier = zeroed<TableRegister>();
  sgdt(ref(earlier));
  firstTask = (usize(earlier.limit) + 1) / sizeof<u64>();
  if (firstTask > MOST_EARLIER) return false;
  memory.copy(ref(descriptors[0]), earlier.base, firstTask * sizeof<u64>());
  for (let vector: u16 = 0; vector < EXCEPTIONS; vector++) {
    setGate(vector, changetype<usize>(onReserved));
  }
  setGate(0, changetype<usize>(onDivideError));
  setGate(1, changetype<usize>(onDebug));
  setGate(2, changetype<usize>(onNonMaskable));
  setGate(3, changetype<usize>(onBreakpoint));
  setGate(4, changetype<usize>(onOverflow));
  setGate(5, changetype<usize>(onBound));
  setGate(6, changetype<usize>(onInvalidOpcode));
  setGate(7, changetype<usize>(onNoVectorUnit));
  setGate(8, changetype<usize>(onDoubleFault));
  setGate(10, changetype<usize>(onTaskState));
  setGate(11, changetype<usize>(onSegment));
  setGate(12, changetype<usize>(onStack));
  setGate(13, changetype<usize>(onProtection));
  setGate(14, changetype<usize>(onPageFault));
  setGate(16, changetype<usize>(onFloatError));
  setGate(17, changetype<usize>(onMisaligned));
  setGate(18, changetype<usize>(onMachineCheck));
  setGate(19, changetype<usize>(onVectorError));
  setGate(20, changetype<usize>(onVirtualization));
  setGate(21, changetype<usize>(onControlProtection));
  useExceptions(0);
  return true;
}

/**
 * The calling core's descriptor table, gates, and task state, which gives the gates their stack.
 * core: below MOST_CORES
 */
export function useExceptions(core: usize): void {
  const task = ref(tasks[core]);
  const stack = ref(exceptionStacks[core]);
  task.stacks[0] = changetype<usize>(stack) + sizeof<FixedArray<u8, 4096>>();
  task.ioMap = u16(sizeof<TaskState>());
  const base = changetype<usize>(task);
  const index = firstTask + 2 * core;
  descriptors[index] =
    TASK_PRESENT |
    (sizeof<TaskState>() - 1) |
    ((base & 0xffffff) << 16) |
    (((base >> 24) & 0xff) << 56);
  descriptors[index + 1] = base >> 32;
  const register = zeroed<TableRegister>();
  register.limit = u16(sizeof<u64>()) * u16(DESCRIPTORS) - 1;
  register.base = changetype<usize>(ref(descriptors[0]));
  lgdt(ref(register));
  ltr(u16(index * sizeof<u64>()));
  register.limit = u16(sizeof<Gate>()) * GATES - 1;
  register.base = changetype<usize>(ref(gates[0]));
  lidt(ref(register));
}

/** vector: below GATES */
export function setGate(vector: u16, handler: usize): void {
  const gate = ref(gates[vector]);
  gate.offsetLow = u16(handler & 0xffff);
  gate.offsetMiddle = u16((handler >> 16) & 0xffff);
  gate.offsetHigh = u32(handler >> 32);
  gate.selector = readCodeSelector();
  gate.stack = 1;
  gate.type = INTERRUPT_GATE;
}

/** @generalRegisters */
function report(vector: usize, frame: Ptr<Frame>, error: u64): void {
  const line = zeroed<Line>();
  addText(ref(line), '\npanic: ');
  addText(
    ref(line),
    vector == INVALID_OPCODE ? refusedInstruction(frame.instruction) : NAMES[vector],
  );
  if (vector == PAGE_FAULT) {
    addText(ref(line), ' at address ');
    addAddress(ref(line), readCr2());
    addText(ref(line), faultKind(error));
  }
  addText(ref(line), ', instruction at ');
  addAddress(ref(line), frame.instruction);
  if (error != 0) {
    addText(ref(line), ', error ');
    addAddress(ref(line), error);
  }
  addText(ref(line), '\n');
  stopWith(ref(line));
}

/** @generalRegisters */
function faultKind(error: u64): string {
  if ((error & FAULT_FETCH) != 0) return ' (no code there)';
  if ((error & FAULT_PRESENT) != 0) return ' (read-only)';
  return (error & FAULT_WRITE) != 0 ? ' (write, nothing there)' : ' (read, nothing there)';
}

/** @interrupt */
function onDivideError(frame: Ptr<Frame>): void {
  report(0, frame, 0);
}
/** @interrupt */
function onDebug(frame: Ptr<Frame>): void {
  report(1, frame, 0);
}
/** @interrupt */
function onNonMaskable(frame: Ptr<Frame>): void {
  report(2, frame, 0);
}
/** @interrupt */
function onBreakpoint(frame: Ptr<Frame>): void {
  report(3, frame, 0);
}
/** @interrupt */
function onOverflow(frame: Ptr<Frame>): void {
  report(4, frame, 0);
}
/** @interrupt */
function onBound(frame: Ptr<Frame>): void {
  report(5, frame, 0);
}
/** @interrupt */
function onInvalidOpcode(frame: Ptr<Frame>): void {
  report(6, frame, 0);
}
/** @interrupt */
function onNoVectorUnit(frame: Ptr<Frame>): void {
  report(7, frame, 0);
}
/** @interrupt */
function onDoubleFault(frame: Ptr<Frame>, error: usize): void {
  report(8, frame, error);
}
/** @interrupt */
function onTaskState(frame: Ptr<Frame>, error: usize): void {
  report(10, frame, error);
}
/** @interrupt */
function onSegment(frame: Ptr<Frame>, error: usize): void {
  report(11, frame, error);
}
/** @interrupt */
function onStack(frame: Ptr<Frame>, error: usize): void {
  report(12, frame, error);
}
/** @interrupt */
function onProtection(frame: Ptr<Frame>, error: usize): void {
  report(13, frame, error);
}
/** @interrupt */
function onPageFault(frame: Ptr<Frame>, error: usize): void {
  report(14, frame, error);
}
/** @interrupt */
function onReserved(frame: Ptr<Frame>): void {
  report(15, frame, 0);
}
/** @interrupt */
function onFloatError(frame: Ptr<Frame>): void {
  report(16, frame, 0);
}
/** @interrupt */
function onMisaligned(frame: Ptr<Frame>, error: usize): void {
  report(17, frame, error);
}
/** @interrupt */
function onMachineCheck(frame: Ptr<Frame>): void {
  report(18, frame, 0);
}
/** @interrupt */
function onVectorError(frame: Ptr<Frame>): void {
  report(19, frame, 0);
}
/** @interrupt */
function onVirtualization(frame: Ptr<Frame>): void {
  report(20, frame, 0);
}
/** @interrupt */
function onControlProtection(frame: Ptr<Frame>, error: usize): void {
  report(21, frame, error);
}
