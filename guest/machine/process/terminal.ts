import { ioctl } from './system.ts';

/**
 * Terminals (ioctl_tty(2); Linux, include/uapi/asm-generic/termbits.h and ioctls.h). A terminal
 * that people log in to edits lines, echoes, and turns keys into signals; the console protocol
 * wants the bytes as they are.
 *
 * struct termios: c_iflag, c_oflag, c_cflag, c_lflag: u32 each; c_line: u8; c_cc: u8[19]
 */
class Terminal {
  input!: u32;
  output!: u32;
  control!: u32;
  local!: u32;
  discipline!: u8;
  characters!: FixedArray<u8, 19>;
}

const TCGETS: usize = 0x5401;
const TCSETS: usize = 0x5402;
const TCSBRK: usize = 0x5409;

/**
 * OPOST | ONLCR: a line feed becomes CR LF, which a screen needs to begin a new line at its left.
 */
const NEW_LINES: u32 = 5;

const before = zeroed<Terminal>();

/**
 * Every byte comes as it is and at once. newLines: whether written line feeds begin a line for a
 * person's eyes.
 */
export function makeRaw(file: i32, newLines: bool): void {
  // a file or a pipe: raw by nature
  if (ioctl(file, TCGETS, changetype<usize>(ref(before))) < 0) return;
  const terminal = zeroed<Terminal>();
  memory.copy(ref(terminal), ref(before), sizeof<Terminal>());
  terminal.input = 0;
  terminal.output = newLines ? NEW_LINES : 0;
  terminal.local = 0;
  ioctl(file, TCSETS, changetype<usize>(ref(terminal)));
}

/** As it was before makeRaw() of the same terminal. */
export function restore(file: i32): void {
  ioctl(file, TCSETS, changetype<usize>(ref(before)));
}

/** Waits until all that was written has left the machine (tcdrain). */
export function drain(file: i32): void {
  ioctl(file, TCSBRK, 1);
}
