import { leave } from './first.ts';
import {
  EAGAIN,
  EINTR,
  POLLIN,
  POLLOUT,
  read as readFile,
  STDIN,
  STDOUT,
  waitFor,
  write as writeFile,
} from './system.ts';

/**
 * The console: standard output, and standard input through a buffer. Files, pipes and terminals,
 * blocking or not. A call of write() is a system call: write whole lines and whole tokens.
 */
const INPUT_BYTES: usize = 4096;
const input = zeroed<FixedArray<u8, 4096>>();
let inputAt: usize = 0;
let inputEnd: usize = 0;

/**
 * All of it, to `file`. Whoever reads it may have gone: then there is nobody left to answer, and
 * the process ends.
 */
export function writeAll(file: i32, bytes: Ptr<u8>, length: usize): void {
  let done: usize = 0;
  while (done < length) {
    const written = writeFile(file, ref(bytes[done]), length - done);
    if (written >= 0) done += usize(written);
    else if (written == EAGAIN) waitFor(file, POLLOUT, -1);
    else if (written != EINTR) leave(1);
  }
}

export function write(bytes: Ptr<u8>, length: usize): void {
  writeAll(STDOUT, bytes, length);
}

/** One byte; -1 at the end of input. An input that cannot be read counts as ended. */
export function read(): i32 {
  while (inputAt == inputEnd) {
    const got = readFile(STDIN, ref(input[0]), INPUT_BYTES);
    if (got > 0) {
      inputAt = 0;
      inputEnd = usize(got);
    } else if (got == EAGAIN) {
      waitFor(STDIN, POLLIN, -1);
    } else if (got != EINTR) {
      return -1;
    }
  }
  const byte = input[inputAt];
  inputAt += 1;
  return i32(byte);
}

/** One byte if one is waiting, else -1; -1 at the end of input too. */
export function poll(): i32 {
  if (inputAt == inputEnd && waitFor(STDIN, POLLIN, 0) != 1) return -1;
  return read();
}
