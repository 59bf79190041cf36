import { hasWord, isWord } from './arguments.ts';
import { powerOff } from './power.ts';
import { exit, processId, STDIN, STDOUT } from './system.ts';
import { drain, makeRaw } from './terminal.ts';

/**
 * A process may be the first one of its kernel: then there is nobody to return to, the machine is
 * its own. The kernel starts `/init` of its initramfs as process 1, with /dev/console as files 0 to
 * 2, and the words of its command line that it did not understand as arguments (Linux, init/main.c:
 * run_init_process). A container has a process 1 too, by another name.
 */
let first: bool = false;
let resets: bool = false;

/**
 * stack: argc, argv[0] … Looks whether this is the machine's first process; if so takes its console
 * over.
 */
export function beginFirst(stack: Ptr<usize>): bool {
  first = processId() == 1 && isWord(changetype<Ptr<u8>>(stack[1]), '/init');
  if (first) {
    resets = hasWord(stack, 'reset');
    makeRaw(STDIN, false);
  }
  return first;
}

export function isFirst(): bool {
  return first;
}

/** The end: of the process with this exit code, or of the machine. */
export function leave(code: i32): void {
  if (first) {
    drain(STDOUT);
    powerOff(resets);
  }
  exit(code);
}
