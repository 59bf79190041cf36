/**
 * The first process of the `linux` stack: keeps an engine on each console and a shell beside the
 * screen, and ends the machine. Called `talk`, not as process 1, it is a conversation on the
 * terminal that it is typed in. Words for it stand behind `--` on the kernel's command line:
 * `shell`, one in place of the serial port's engine; `reset`, guest/machine/process/power.ts.
 */
import 'arch/processEntry';
import { addNumber, addText, type Line } from '../machine/line.ts';
import { MAX_CORES } from '../machine/pool.ts';
import { hasWord } from '../machine/process/arguments.ts';
import { powerOff } from '../machine/process/power.ts';
import { cpuCount, exit, processId, STDIN, STDOUT, write } from '../machine/process/system.ts';
import { drain, makeRaw, restore } from '../machine/process/terminal.ts';
import { mountAll } from './mounts.ts';
import { endAll, execute, fork, isUsable, moveTo, reap, sleep } from './processes.ts';
import { holdSignals, nextSignal, SIGCHLD, SIGTERM } from './signals.ts';

const TERMINALS: FixedArray<string> = ['/dev/ttyS0\0', '/dev/tty1\0', '/dev/tty2\0'];
const children = zeroed<FixedArray<i32, 3>>();
const hasShell = zeroed<FixedArray<bool, 3>>();
let resets: bool = false;

/** @symbol start */
function start(stack: Ptr<usize>): void {
  if (processId() != 1) talk();
  mountAll();
  resets = hasWord(stack, 'reset');
  hasShell[0] = hasWord(stack, 'shell');
  hasShell[2] = true;
  holdSignals(true);
  const hasScreen = isUsable('/dev/fb0\0');
  const note = zeroed<Line>();
  if (isUsable(TERMINALS[0])) begin(0, ref(note));
  if (hasScreen) begin(2, ref(note));
  addText(
    ref(note),
    'Ask, and press Enter. Ctrl-C ends an answer, Ctrl-D the machine; Alt-F2: shell.\n',
  );
  if (hasScreen) begin(1, ref(note));
  while (true) {
    const signal = nextSignal();
    if (signal == SIGCHLD) beginAgain();
    // BusyBox's reboot; its halt and poweroff send others
    else if (signal > 0) switchOff(signal == SIGTERM);
  }
}

/** What belongs on terminal i. note: what is written there first. */
function begin(i: i32, note: Ptr<Line>): void {
  children[i] = fork();
  if (children[i] != 0) return;
  holdSignals(false);
  moveTo(TERMINALS[i], hasShell[i]);
  write(STDOUT, ref(note.bytes[0]), note.length);
  if (hasShell[i]) execute('/bin/sh\0', null, null);
  else runEngine(i != 0);
}

/** In place of this process. forPerson: a line feed begins a new line. */
function runEngine(forPerson: bool): void {
  const threads = zeroed<Line>();
  addNumber(ref(threads), '', u64(min(cpuCount(), MAX_CORES)));
  makeRaw(STDIN, forPerson);
  execute('/engine\0', utf8('/model.pack\0'), ref(threads.bytes[0]));
}

function talk(): void {
  makeRaw(STDIN, true);
  if (fork() == 0) runEngine(true);
  reap(null, true);
  restore(STDIN);
  exit(0);
}

/**
 * Reaps whoever ended. An engine that ended well was told to switch off; what else belongs on a
 * terminal begins again.
 */
function beginAgain(): void {
  let status: i32 = 0;
  for (let child = reap(ref(status), false); child > 0; child = reap(ref(status), false)) {
    for (let i: i32 = 0; i < 3; i++) {
      if (child != children[i]) continue;
      if (status == 0 && !hasShell[i]) switchOff(false);
      const note = zeroed<Line>();
      // ETX: in the console protocol it ends an answer that may have been broken off
      addText(ref(note), '\x03init: ended by ');
      if ((status & 0x7f) != 0) addNumber(ref(note), 'signal ', u64(status & 0x7f));
      else addNumber(ref(note), 'exit code ', u64(status >> 8));
      addText(ref(note), ', begins again\n');
      sleep(500); // not in a tight loop
      begin(i, ref(note));
    }
  }
}

function switchOff(byReset: bool): void {
  endAll();
  drain(STDOUT);
  powerOff(byReset || resets);
}
