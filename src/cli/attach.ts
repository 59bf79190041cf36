/** A person at a machine's console: keys go in as they are, what the machine writes comes out. */
import type { Guest, GuestSettings } from '../console/guest.ts';
import { EOT } from '../console/protocol.ts';
import type { Settings } from '../console/settings.ts';
import { answerLine } from './answer.ts';
import type { Conversation } from './conversation.ts';
import { readLines } from './prompt.ts';
import { sayDim } from './terminal.ts';

/**
 * Starts the machine and stays until it, or the person, has had enough. Of lines from a pipe each
 * is a request of its own, with these settings; what is typed at a terminal is answered as the
 * machine does by itself. context: positions that the machine has. converse: with the guest.
 */
export async function attachConsole(
  start: (settings: GuestSettings) => Guest,
  settings: Settings,
  context: number,
  converse: (guest: Guest) => Promise<Conversation>,
): Promise<void> {
  const readiness = new Readiness();
  const guest = start({
    onConsole: (bytes) => process.stdout.write(bytes),
    onReady: () => {
      readiness.set();
      if (process.stdin.isTTY) process.stdout.write('> ');
    },
  });
  if (process.stdin.isTTY)
    sayDim('Ctrl-C stops an answer or clears the line, Ctrl-D powers off, /help lists commands.');
  try {
    await guest.ready();
    if (process.stdin.isTTY) await typeInto(guest);
    else await feedLines(guest, await converse(guest), readiness, settings, context);
  } finally {
    await guest.close();
  }
}

const GS = 0x1d; // Ctrl-]
const CR = 0x0d;

/**
 * A shell on the machine's console: keys go in, all of them, until the machine is off or Ctrl-]
 * kills it. Those that are typed (or piped) before its first prompt wait: a machine that boots
 * loses them.
 */
export async function attachShell(start: (settings: GuestSettings) => Guest): Promise<void> {
  const { stdin } = process;
  let early: Buffer[] | null = [];
  const guest = start({
    onConsole: (bytes) => {
      process.stdout.write(bytes);
      if (!early || !guest.consoleText().endsWith('# ')) return;
      guest.transport.write(Buffer.concat(early));
      early = null;
    },
  });
  const type = (keys: Buffer) => {
    if (stdin.isTTY && keys.includes(GS)) guest.transport.kill();
    else if (early) early.push(keys);
    else guest.transport.write(keys);
  };
  sayDim('`poweroff` ends the machine, Ctrl-] kills it.');
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.on('data', type);
  try {
    await guest.ended;
  } finally {
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.off('data', type);
    stdin.pause();
  }
}

/** Whether the guest waits for a request. */
class Readiness {
  #isReady = false;
  #wake = () => {};

  set(): void {
    this.#isReady = true;
    this.#wake();
  }

  reset(): void {
    this.#isReady = false;
  }

  /** Until it is so, or the guest has switched off. */
  async wait(guest: Guest): Promise<void> {
    if (this.#isReady) return;
    const ready = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([ready, switchedOff(guest)]);
  }
}

/** Settles when the guest has ended; throws unless a person asked for it. */
async function switchedOff(guest: Guest): Promise<void> {
  await guest.ended;
  if (!guest.saidGoodbye) await guest.ready();
}

/** A terminal, key by key: the guest edits the line. */
async function typeInto(guest: Guest): Promise<void> {
  const { stdin } = process;
  stdin.setRawMode(true);
  try {
    await new Promise<void>((resolve, reject) => {
      switchedOff(guest).then(resolve, reject);
      stdin.on('data', (keys: Buffer) => {
        if (keys.includes(EOT)) return resolve();
        guest.transport.write(asKeys(keys));
      });
    });
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
  }
}

/**
 * Ctrl-A is SOH, which would begin a program's request: it becomes the key Home, which it is in a
 * shell.
 */
function asKeys(keys: Buffer): Buffer {
  return Buffer.from(keys.toString('latin1').replaceAll('\x01', '\x1b[H'), 'latin1');
}

const SLASH = 0x2f;

/**
 * A pipe, line by line: each waits for the answer to the one before it. Its bytes are text, where a
 * terminal's are keys too; so a line goes as a program's request, unless it is one of the console's
 * commands: those are for lines that are typed.
 */
async function feedLines(
  guest: Guest,
  conversation: Conversation,
  readiness: Readiness,
  settings: Settings,
  context: number,
): Promise<void> {
  const lines = readLines(process.stdin);
  const isOver = switchedOff(guest).then(() => null);
  for (;;) {
    const next = await Promise.race([lines.next(), isOver]);
    if (next === null || next.done) break;
    await readiness.wait(guest);
    if (guest.saidGoodbye) break;
    readiness.reset();
    const line = next.value;
    if (line[0] !== SLASH) await answerLine(conversation, line, settings, context);
    else if (line[1] === SLASH) await answerLine(conversation, line.subarray(1), settings, context);
    else {
      if (Buffer.from(line).toString('latin1').trim() === '/reset') conversation.forget();
      guest.transport.write(asTyped(line));
    }
  }
  await readiness.wait(guest);
  process.stdin.destroy(); // whoever writes to it may go on
}

/** A command as it is typed: control characters would be keys. */
function asTyped(line: Uint8Array): Buffer {
  return Buffer.from([...line.map((byte) => (byte < 0x20 || byte === 0x7f ? 0x3f : byte)), CR]);
}
