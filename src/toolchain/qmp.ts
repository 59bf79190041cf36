import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** QEMU's control channel (docs/interop/qmp-spec.txt of QEMU): JSON objects, one per line. */
export interface Qmp {
  /**
   * Runs one command; returns its `return`. Throws with QEMU's words, or when no answer comes in
   * time.
   */
  execute(command: string, parameters?: Record<string, unknown>): Promise<unknown>;
  /** Writes what the screen shows as a PNG file. Needs a machine with a screen, and QEMU 7.1. */
  screenshot(path: string): Promise<void>;
  /** Presses keys, one after the other; `\n` is Enter. Knows what a US keyboard has without Alt. */
  type(text: string): Promise<void>;
  /** Presses keys at the same time, by QEMU's names: `['alt', 'f2']`. */
  press(keys: readonly string[]): Promise<void>;
  close(): void;
}

const CONNECT_MILLISECONDS = 5_000;
const ANSWER_MILLISECONDS = 30_000;
/** Faster than this, keys get lost in the emulated controller's buffer. */
const KEY_MILLISECONDS = 20;

/** Connects to the socket that QEMU was told to make; waits until it has. */
export async function connectQmp(path: string): Promise<Qmp> {
  const client = new QmpClient(await openSocket(path));
  await client.execute('qmp_capabilities');
  return client;
}

async function openSocket(path: string): Promise<Socket> {
  const deadline = performance.now() + CONNECT_MILLISECONDS;
  for (;;) {
    try {
      return await new Promise<Socket>((resolve, reject) => {
        const socket = connect(path, () => resolve(socket));
        socket.once('error', reject);
      });
    } catch (error) {
      if (performance.now() > deadline) {
        throw new Error(`QEMU's control socket ${path}: ${(error as Error).message}`);
      }
      await sleep(20);
    }
  }
}

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

class QmpClient implements Qmp {
  #socket: Socket;
  #waiting = new Map<number, Waiting>();
  #next = 1;

  constructor(socket: Socket) {
    this.#socket = socket;
    const lines = createInterface({ input: socket });
    lines.on('line', (line) => this.#receive(line));
    for (const source of [lines, socket]) source.on('error', () => {}); // 'close' follows
    socket.on('close', () => this.#failAll(new Error('QEMU has ended')));
  }

  async execute(command: string, parameters: Record<string, unknown> = {}): Promise<unknown> {
    const id = this.#next++;
    const late = () =>
      this.#waiting
        .get(id)
        ?.reject(
          new Error(`QEMU did not answer ${command} within ${ANSWER_MILLISECONDS / 1000} s`),
        );
    const timer = setTimeout(late, ANSWER_MILLISECONDS);
    try {
      return await new Promise((resolve, reject) => {
        if (this.#socket.destroyed) return reject(new Error('QEMU has ended'));
        this.#waiting.set(id, { resolve, reject });
        this.#socket.write(`${JSON.stringify({ execute: command, arguments: parameters, id })}\n`);
      });
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  async screenshot(path: string): Promise<void> {
    await this.execute('screendump', { filename: path, format: 'png' });
  }

  async type(text: string): Promise<void> {
    for (const character of text) await this.press(keysOf(character));
  }

  async press(keys: readonly string[]): Promise<void> {
    const named = keys.map((data) => ({ type: 'qcode', data }));
    await this.execute('send-key', { keys: named, 'hold-time': KEY_MILLISECONDS });
    await sleep(2 * KEY_MILLISECONDS);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Answers have an id; the greeting and events have none and are nothing to us. */
  #receive(line: string): void {
    const { id, error, return: value } = JSON.parse(line);
    const waiting = this.#waiting.get(id);
    if (error) waiting?.reject(new Error(`QEMU: ${error.desc}`));
    else waiting?.resolve(value);
  }

  #failAll(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
  }
}

/**
 * Keys of a US keyboard that are not named by their own character; the second character is with
 * Shift.
 */
const KEYS: Record<string, string> = {
  spc: '  ',
  ret: '\n\n',
  minus: '-_',
  equal: '=+',
  comma: ',<',
  dot: '.>',
  slash: '/?',
  semicolon: ';:',
  apostrophe: '\'"',
  bracket_left: '[{',
  bracket_right: ']}',
  backslash: '\\|',
  grave_accent: '`~',
};
const SHIFTED_DIGITS = ')!@#$%^&*(';

/** The keys that give a character, by QEMU's names (`QKeyCode`). */
export function keysOf(character: string): string[] {
  if (/^[a-z0-9]$/.test(character)) return [character];
  if (/^[A-Z]$/.test(character)) return ['shift', character.toLowerCase()];
  const digit = SHIFTED_DIGITS.indexOf(character);
  if (digit >= 0) return ['shift', String(digit)];
  for (const [key, [plain, shifted]] of Object.entries(KEYS)) {
    if (character === plain) return [key];
    if (character === shifted) return ['shift', key];
  }
  throw new Error(`no key of a US keyboard gives ${JSON.stringify(character)}`);
}
