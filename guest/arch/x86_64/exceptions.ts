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
/** Those for which the CPU pushes an error code, as bits. */
const WITH_ERROR: u32 = 0x60227d00;
/** From one exception's code to the next. */
const ENTRY_BYTES: usize = 16;
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
const RESERVED: usize = 15;

/**
 * Error code of a page fault (4.7): bit 0 the page is there, bit 1 a write, bit 4 an instruction
 * fetch.
 */
const FAULT_PRESENT: u64 = 1;
const FAULT_WRITE: u64 = 2;
const FAULT_FETCH: u64 = 16;

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
  let entries: usize = 0;
  asm('lea exception_entries(%rip), {entries}', { out: { entries }, memory: false });
  for (let vector: u16 = 0; vector < EXCEPTIONS; vector++) {
    setGate(vector, entries + usize(vector) * ENTRY_BYTES);
  }
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

/**
 * Where the CPU goes on. It has pushed the instruction's address and more, then an error code where
 * there is one (6.12.1). With a zero for the others and the vector these are the arguments of
 * report(), which does not come back.
 */
asm(
  `
  .section .text.exceptions, "ax"
  .set exception_vector, 0
  .balign {ENTRY_BYTES}
exception_entries:
  .rept {EXCEPTIONS}
  .balign {ENTRY_BYTES}
  .if (({WITH_ERROR} >> exception_vector) & 1) == 0
  push $0
  .endif
  push $exception_vector
  jmp exception_report
  .set exception_vector, exception_vector + 1
  .endr
exception_report:
  cld
  pop %rdi
  pop %rsi
  pop %rdx
  call {report}
  `,
  { use: { EXCEPTIONS, WITH_ERROR, ENTRY_BYTES, report } },
);

/** @generalRegisters */
function report(vector: usize, error: u64, instruction: u64): void {
  const line = zeroed<Line>();
  const name = NAMES[vector < NAMES.length ? vector : RESERVED];
  addText(ref(line), '\npanic: ');
  addText(ref(line), vector == INVALID_OPCODE ? refusedInstruction(instruction) : name);
  if (vector == PAGE_FAULT) {
    addAddress(ref(line), ' at address ', readCr2());
    addText(ref(line), faultKind(error));
  }
  addAddress(ref(line), ', instruction at ', instruction);
  if (error != 0) addAddress(ref(line), ', error ', error);
  addText(ref(line), '\n');
  stopWith(ref(line));
}

/** @generalRegisters */
function faultKind(error: u64): string {
  if ((error & FAULT_FETCH) != 0) return ' (no code there)';
  if ((error & FAULT_PRESENT) != 0) return ' (read-only)';
  return (error & FAULT_WRITE) != 0 ? ' (write, nothing there)' : ' (read, nothing there)';
}
