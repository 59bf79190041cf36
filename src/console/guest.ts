import { type GuestEvent, GuestParser } from './framing.ts';
import { CAN, EOT } from './protocol.ts';
import type { Report } from './report.ts';
import { encodeRequest } from './request.ts';
import type { Settings } from './settings.ts';
import type { Transport, TransportEnd } from './transport.ts';

/** When things happened, in milliseconds since the guest was started; unset: not yet. */
export interface Timeline {
  firstByte?: number;
  ready?: number;
  /** First byte of the first answer's text. */
  firstToken?: number;
  /** Last byte of the latest answer's text. */
  lastToken?: number;
  exited?: number;
}

export interface Answer {
  /** The answer's bytes; UTF-8, but it may end within a character. */
  bytes: Uint8Array;
  text: string;
  report: Report;
}

export interface AskOptions {
  /** Called with each piece of the answer as it comes. */
  onBytes?: (bytes: Uint8Array) => void;
  /** Aborted: the guest is told to stop; the answer so far is returned as usual. */
  signal?: AbortSignal;
}

export interface GuestSettings {
  /** Called with console text outside of answers: banner, warnings, panics. */
  onConsole?: (bytes: Uint8Array) => void;
  /** Called each time that the guest is ready for a request. */
  onReady?: () => void;
  /** Longest time from start to ready, milliseconds. */
  readyTimeout?: number;
  /** Longest time from switch-off to exit before the guest is killed, milliseconds. */
  closeTimeout?: number;
  /** `performance.now()` when the guest was started; default: now. */
  startedAt?: number;
}

/** A running guest on the other end of a byte stream. */
export interface Guest {
  /** The way to it, for who types keys or kills it. */
  readonly transport: Transport;
  readonly timeline: Timeline;
  /** Console text so far, the last 64 KiB of it. */
  consoleText(): string;
  ready(): Promise<void>;
  /** Whether it said that it switches off, since a person asked it to. */
  readonly saidGoodbye: boolean;
  /** Settles when the guest has ended, by itself or not, with its exit code (null: killed). */
  readonly ended: Promise<number | null>;
  /** One question, one answer; questions wait for each other. */
  ask(text: string | Uint8Array, settings: Settings, options?: AskOptions): Promise<Answer>;
  /** Switches the guest off; returns its exit code. Kills it if it does not end in time. */
  close(): Promise<number | null>;
}

const CONSOLE_KEPT = 64 * 1024;

/** The guest ended, or spoke nonsense: what happened, and what it wrote on its console. */
export class GuestError extends Error {}

export function connectGuest(transport: Transport, settings: GuestSettings = {}): Guest {
  return new ConnectedGuest(transport, settings);
}

/** An answer that is being received. */
interface Pending {
  options: AskOptions;
  pieces: Uint8Array[];
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
}

class ConnectedGuest implements Guest {
  readonly transport: Transport;
  readonly timeline: Timeline = {};
  #settings: GuestSettings;
  #startedAt: number;
  #parser = new GuestParser();
  #console = '';
  #decoder = new TextDecoder();
  #pending: Pending | null = null;
  /** Settles when the latest question has been answered. */
  #turn: Promise<void> = Promise.resolve();
  #isReady = false;
  saidGoodbye = false;
  #failure: Error | null = null;
  /** Who waits for "ready" or the end. */
  #waiting = new Set<() => void>();
  readonly ended: Promise<number | null>;
  #isClosing = false;
  #hasEnded = false;

  constructor(transport: Transport, settings: GuestSettings) {
    this.transport = transport;
    this.#settings = settings;
    this.#startedAt = settings.startedAt ?? performance.now();
    transport.onBytes((bytes) => this.#receive(bytes));
    transport.onRemark((bytes) => this.#toConsole(bytes));
    this.ended = transport.ended.then((end) => {
      this.#hasEnded = true;
      if (end.error === undefined) this.timeline.exited = this.#now();
      this.#fail(new GuestError(this.#describeEnd(end)));
      return end.code;
    });
  }

  consoleText(): string {
    return this.#console;
  }

  async ready(): Promise<void> {
    const limit = this.#settings.readyTimeout ?? 60_000;
    const timer = setTimeout(() => {
      this.#fail(
        new GuestError(`the guest was not ready within ${limit / 1000} s${this.#quote()}`),
      );
    }, limit);
    try {
      while (!this.#isReady) {
        if (this.#failure) throw this.#failure;
        await new Promise<void>((resolve) => this.#waiting.add(resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  ask(text: string | Uint8Array, settings: Settings, options: AskOptions = {}): Promise<Answer> {
    const answer = this.#turn.then(() => this.#askNow(text, settings, options));
    this.#turn = answer.then(
      () => {},
      () => {},
    );
    return answer;
  }

  async #askNow(
    text: string | Uint8Array,
    settings: Settings,
    options: AskOptions,
  ): Promise<Answer> {
    await this.ready();
    this.#isReady = false;
    const { signal } = options;
    const cancel = () => this.transport.write(Uint8Array.of(CAN));
    try {
      return await new Promise<Answer>((resolve, reject) => {
        this.#pending = { options, pieces: [], resolve, reject };
        this.transport.write(encodeRequest(text, settings));
        if (signal?.aborted) cancel();
        else signal?.addEventListener('abort', cancel, { once: true });
      });
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  async close(): Promise<number | null> {
    this.#isClosing = true;
    if (this.#hasEnded) return this.ended;
    this.transport.end(Uint8Array.of(EOT));
    const timer = setTimeout(() => this.transport.kill(), this.#settings.closeTimeout ?? 3000);
    const code = await this.ended;
    clearTimeout(timer);
    return code;
  }

  #now(): number {
    return performance.now() - this.#startedAt;
  }

  #receive(chunk: Uint8Array): void {
    this.timeline.firstByte ??= this.#now();
    for (const event of this.#parser.push(chunk)) this.#handle(event);
  }

  #handle(event: GuestEvent): void {
    const pending = this.#pending;
    switch (event.type) {
      case 'console':
        this.#toConsole(event.bytes);
        break;
      case 'ready':
        if (pending) this.#fail(new GuestError(`the guest began anew while asked${this.#quote()}`));
        this.timeline.ready ??= this.#now();
        this.#isReady = true;
        this.#settings.onReady?.();
        this.#wake();
        break;
      case 'goodbye':
        this.saidGoodbye = true;
        break;
      case 'answer':
        this.timeline.firstToken ??= this.#now();
        pending?.pieces.push(event.bytes);
        pending?.options.onBytes?.(event.bytes);
        break;
      case 'answerEnd':
        this.timeline.lastToken = this.#now();
        break;
      case 'report': {
        if (!pending) break;
        const bytes = Buffer.concat(pending.pieces);
        this.#pending = null;
        pending.resolve({ bytes, text: bytes.toString('utf8'), report: event.report });
        break;
      }
      case 'malformed':
        this.#fail(
          new GuestError(`the guest's answer is malformed: ${event.what}${this.#quote()}`),
        );
        break;
    }
  }

  #toConsole(bytes: Uint8Array): void {
    this.#console = (this.#console + this.#decoder.decode(bytes, { stream: true })).slice(
      -CONSOLE_KEPT,
    );
    this.#settings.onConsole?.(bytes);
  }

  /** The guest is no use any more: whoever waits for it learns why. The first reason stays. */
  #fail(error: Error): void {
    if (!this.#failure) this.#failure = error;
    this.#isReady = false;
    this.#pending?.reject(this.#failure);
    this.#pending = null;
    this.#wake();
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }

  #describeEnd({ code, signal, error }: TransportEnd): string {
    if (error !== undefined) return `the guest did not start: ${error.message}`;
    const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
    const when = this.#isClosing
      ? 'on switch-off'
      : this.#pending
        ? 'while it answered'
        : this.timeline.ready === undefined
          ? 'before it was ready'
          : 'while it waited';
    return `the guest ${how} ${when}${this.#quote()}`;
  }

  /** What the guest wrote last; a panic within an answer stands in the answer's bytes. */
  #quote(): string {
    const answer = this.#pending ? Buffer.concat(this.#pending.pieces).toString() : '';
    const panic = /(^|\n)panic: .*/.exec(answer)?.[0].trim();
    const text = panic ?? this.#console.replaceAll('\r', '').trim();
    return text === '' ? '' : `. Its console says:\n${text.replace(/^/gm, '  ')}`;
  }
}
