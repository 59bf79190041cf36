/** A person at a machine's console: keys go in as they are, what the machine writes comes out. */
import { createInterface } from 'node:readline';
import { CAN, EOT, ETX } from '../console/framing.ts';
import type { Guest, GuestSettings } from '../console/guest.ts';
import { sayDim } from './terminal.ts';

const CR = 0x0d;
const LF = 0x0a;

/** Starts the machine and stays until it, or the person, has had enough. */
export async function attachConsole(start: (settings: GuestSettings) => Guest): Promise<void> {
  const readiness = new Readiness();
  const guest = start({
    onConsole: (bytes) => process.stdout.write(bytes),
    onReady: () => readiness.set(),
  });
  try {
    await guest.ready();
    if (process.stdin.isTTY) await typeInto(guest, readiness);
    else await feedLines(guest, readiness);
  } finally {
    await guest.close();
  }
}

const GS = 0x1d; // Ctrl-]

/**
 * A shell on the machine's console: keys go in, all of them, until the machine is off or Ctrl-] kills it. Those that
 * are typed (or piped) before its first prompt wait: a machine that boots loses them.
 */
export async function attachShell(start: (settings: GuestSettings) => Guest): Promise<void> {
  const { stdin } = process;
  let early: Buffer[] | null = [];
  const guest = start({
    onConsole: (bytes) => {
      process.stdout.write(bytes);
      if (!early || !guest.consoleText().endsWith('# ')) return;
      guest.process.stdin.write(Buffer.concat(early));
      early = null;
    },
  });
  const type = (keys: Buffer) => {
    if (stdin.isTTY && keys.includes(GS)) guest.process.kill('SIGKILL');
    else if (early) early.push(keys);
    else guest.process.stdin.write(keys);
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
  isReady = false;
  #wake = () => {};

  set(): void {
    this.isReady = true;
    this.#wake();
  }

  reset(): void {
    this.isReady = false;
  }

  async wait(guest: Guest): Promise<void> {
    if (this.isReady) return;
    const ready = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([ready, guest.ended.then(() => guest.ready())]);
  }
}

/** A terminal, key by key: Ctrl-C cancels an answer, at the prompt it leaves, as Ctrl-D does. */
async function typeInto(guest: Guest, readiness: Readiness): Promise<void> {
  const { stdin } = process;
  stdin.setRawMode(true);
  sayDim('Type a line. Ctrl-C cancels an answer; Ctrl-C or Ctrl-D at the prompt powers off.');
  try {
    await new Promise<void>((resolve, reject) => {
      guest.ended.then(() => guest.ready()).catch(reject);
      stdin.on('data', (keys: Buffer) => {
        for (const key of keys) {
          if (key === EOT || (key === ETX && readiness.isReady)) return resolve();
          if (key === CR || key === LF) readiness.reset();
          guest.process.stdin.write(Uint8Array.of(key === ETX ? CAN : key));
        }
      });
    });
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
  }
}

/** A pipe, line by line: each waits for the answer to the one before it. */
async function feedLines(guest: Guest, readiness: Readiness): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '') continue;
    await readiness.wait(guest);
    readiness.reset();
    guest.process.stdin.write(`${line}\n`);
  }
  await readiness.wait(guest);
}
