import 'arch/processEntry';
import {
  EXIT,
  FORK,
  GETDENTS64,
  KILL,
  NANOSLEEP,
  REBOOT,
  SETSID,
  syscall,
  WAIT4,
} from 'arch/linux';
import {
  exit,
  open,
  processId,
  read,
  STDOUT,
  syscall1,
  syscall2,
  syscall3,
  write,
} from '../machine/process/system.ts';
import { drain } from '../machine/process/terminal.ts';

/**
 * Asks a Linux kernel what it does: a program that makes the system calls that a file names, and
 * prints what they return. For measurements (src/measure/probe.ts); no image that we build holds
 * it.
 * Usage: probe FILE, or as first process.
 *
 *     read PATH           the file's text
 *     list PATH           the folder's names
 *     every COUNT         for each call from 0 to COUNT-1: '+', or '-' if not implemented
 *     NUMBER,ARGUMENT,…   that call; arguments that begin with no digit are text
 */

const ENOSYS: isize = -38;
const WNOHANG: usize = 1;
const SIGKILL: usize = 9;

/** reboot(2): LINUX_REBOOT_MAGIC1, MAGIC2, CMD_RESTART */
const MAGIC1: usize = 0xfee1dead;
const MAGIC2: usize = 672274793;
const RESTART: usize = 0x1234567;

const REQUESTS: usize = 65536;
const requests = zeroed<FixedArray<u8, 65536>>();
const bytes = zeroed<FixedArray<u8, 4096>>();

/** stack: argc, argv[0], argv[1] … @symbol start */
function start(stack: Ptr<usize>): void {
  if (stack[0] < 2) exit(2);
  const file = open(changetype<Ptr<u8>>(stack[2]));
  if (file < 0) exit(1);
  let end: usize = 0;
  while (end < REQUESTS - 1) {
    const got = read(i32(file), ref(requests[end]), REQUESTS - 1 - end);
    if (got <= 0) break;
    end += usize(got);
  }
  let line: usize = 0;
  for (let i: usize = 0; i < end; i++) {
    if (requests[i] != 0x0a) continue;
    requests[i] = 0;
    answer(ref(requests[line]));
    line = i + 1;
  }
  say('end\n');
  drain(STDOUT);
  if (processId() == 1) syscall3(REBOOT, MAGIC1, MAGIC2, RESTART);
  exit(0);
}

/**
 * request: one line, ended by a zero byte. What it prints begins with the request and ends with an
 * empty line.
 */
function answer(request: Ptr<u8>): void {
  sayText(request);
  say('\n');
  if (startsWith(request, 'read ')) copyFile(ref(request[5]));
  else if (startsWith(request, 'list ')) listFolder(ref(request[5]));
  else if (startsWith(request, 'every ')) tryEvery(i32(number(ref(request[6]))));
  else sayNumber(makeCall(request));
  say('\n\n');
}

function copyFile(path: Ptr<u8>): void {
  const file = open(path);
  let got = file;
  while (got >= 0) {
    got = read(i32(file), ref(bytes[0]), bytes.length);
    if (got <= 0) break;
    write(STDOUT, ref(bytes[0]), usize(got));
  }
  if (got < 0) sayNumber(got);
}

/** struct linux_dirent64: length at byte 16, name at byte 19. */
function listFolder(path: Ptr<u8>): void {
  const folder = open(path);
  if (folder < 0) sayNumber(folder);
  while (folder >= 0) {
    const got = syscall3(GETDENTS64, usize(folder), changetype<usize>(ref(bytes[0])), bytes.length);
    if (got <= 0) break;
    let at: usize = 0;
    while (at < usize(got)) {
      sayText(ref(bytes[at + 19]));
      say(' ');
      at += usize(load<u16>(ref(bytes[at]), 16));
    }
  }
}

/** Each in a process of its own: some never return, some end their caller. */
function tryEvery(count: i32): void {
  for (let call: i32 = 0; call < count; call++) {
    const child = syscall1(FORK, 0);
    if (child == 0) {
      syscall1(SETSID, 0); // away from the terminal, which vhangup would close
      syscall1(EXIT, isImplemented(usize(call)) ? 0 : 1);
    }
    say(endsWith1(child) ? '-' : '+');
  }
}

/**
 * Nonsense first, which nearly every call refuses; then zeros, since a few that are there refuse
 * nonsense by "not implemented" (futex and its operation).
 */
function isImplemented(call: usize): bool {
  const no = usize.MAX_VALUE;
  if (syscall(call, no, no, no, no, no, no) != ENOSYS) return true;
  return syscall(call, 0, 0, 0, 0, 0, 0) != ENOSYS;
}

/** Whether the process ends by itself, with exit code 1. After a tenth of a second it is ended. */
function endsWith1(child: isize): bool {
  const status = zeroed<FixedArray<i32, 2>>();
  const pause = zeroed<FixedArray<i64, 2>>();
  pause[1] = 1000000;
  for (let i: i32 = 0; i < 100; i++) {
    if (waitFor(child, ref(status[0]), WNOHANG) == child) return status[0] == 256;
    syscall1(NANOSLEEP, changetype<usize>(ref(pause[0])));
  }
  syscall2(KILL, usize(child), SIGKILL);
  waitFor(child, ref(status[0]), 0);
  return false;
}

function waitFor(child: isize, status: Ptr<i32>, how: usize): isize {
  return syscall3(WAIT4, usize(child), changetype<usize>(status), how);
}

/** call: NUMBER,ARGUMENT,…; its commas become zero bytes. */
function makeCall(call: Ptr<u8>): isize {
  const words = zeroed<FixedArray<usize, 7>>();
  let count: usize = 0;
  let at: usize = 0;
  while (count < words.length) {
    const word = at;
    while (call[at] != 0 && call[at] != 0x2c) at++;
    const isLast = call[at] == 0;
    call[at] = 0;
    words[count] = isNumber(call[word])
      ? usize(number(ref(call[word])))
      : changetype<usize>(ref(call[word]));
    count++;
    at++;
    if (isLast) break;
  }
  return syscall(words[0], words[1], words[2], words[3], words[4], words[5], words[6]);
}

function isNumber(first: u8): bool {
  return first == 0x2d || (first >= 0x30 && first <= 0x39);
}

/** Decimal, with or without a minus sign. */
function number(text: Ptr<u8>): isize {
  let value: isize = 0;
  for (let i: usize = text[0] == 0x2d ? 1 : 0; text[i] != 0; i++) {
    value = value * 10 + isize(text[i]) - 0x30;
  }
  return text[0] == 0x2d ? -value : value;
}

function startsWith(text: Ptr<u8>, start: string): bool {
  for (let i: usize = 0; i < start.length; i++) {
    if (text[i] != utf8(start)[i]) return false;
  }
  return true;
}

function say(text: string): void {
  write(STDOUT, utf8(text), text.length);
}

function sayText(text: Ptr<u8>): void {
  let length: usize = 0;
  while (text[length] != 0) length++;
  write(STDOUT, text, length);
}

function sayNumber(value: isize): void {
  const digits = zeroed<FixedArray<u8, 24>>();
  let at: usize = digits.length;
  let rest = value < 0 ? -value : value;
  while (true) {
    at--;
    digits[at] = u8(0x30 + (rest % 10));
    rest /= 10;
    if (rest == 0) break;
  }
  if (value < 0) {
    at--;
    digits[at] = 0x2d;
  }
  write(STDOUT, ref(digits[at]), digits.length - at);
}
