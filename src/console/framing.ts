/**
 * Framing of the console protocol (docs/console.md): ASCII's control characters mark where requests
 * and answers begin and end; inside framed text those characters are escaped.
 */
import { DLE, ENQ, EOT, ESCAPE_XOR, ETX, FRAMING, STX } from './protocol.ts';
import { decodeReport, type Report } from './report.ts';

const LF = 0x0a;
/** A report line is some 200 hexadecimal digits; far more than that without an end is noise. */
const LONGEST_REPORT = 1024;

const framing: ReadonlySet<number> = new Set(FRAMING);

/** Framed text as it travels: each byte that frames becomes DLE and the byte XOR 0x40. */
export function escapeText(bytes: Uint8Array): Uint8Array {
  let extra = 0;
  for (const byte of bytes) if (framing.has(byte)) extra++;
  const escaped = new Uint8Array(bytes.length + extra);
  let at = 0;
  for (const byte of bytes) {
    if (framing.has(byte)) {
      escaped[at++] = DLE;
      escaped[at++] = byte ^ ESCAPE_XOR;
    } else {
      escaped[at++] = byte;
    }
  }
  return escaped;
}

/** What the guest says, as the parser hands it on. */
export type GuestEvent =
  /** Console text for people: banner, warnings, a panic. */
  | { type: 'console'; bytes: Uint8Array }
  | { type: 'ready' }
  | { type: 'goodbye' }
  | { type: 'answerStart' }
  | { type: 'answer'; bytes: Uint8Array }
  | { type: 'answerEnd' }
  | { type: 'report'; report: Report }
  | { type: 'malformed'; what: string };

/** What stands between the text for people. */
const MARKS: Record<number, 'ready' | 'answerStart' | 'goodbye'> = {
  [ENQ]: 'ready',
  [STX]: 'answerStart',
  [EOT]: 'goodbye',
};

/**
 * Parses the guest's byte stream, fed in chunks of any size. Text within one chunk comes as one
 * event; nothing is held back but a half-received escape and the report line.
 */
export class GuestParser {
  #state: 'console' | 'answer' | 'report' = 'console';
  #escaped = false;
  #report = '';

  push(chunk: Uint8Array): GuestEvent[] {
    const events: GuestEvent[] = [];
    let text: number[] = [];
    const flush = (type: 'console' | 'answer') => {
      if (text.length > 0) events.push({ type, bytes: Uint8Array.from(text) });
      text = [];
    };
    for (const byte of chunk) {
      if (this.#state === 'console') {
        const type = MARKS[byte];
        if (type === undefined) text.push(byte);
        else {
          flush('console');
          events.push({ type });
          if (byte === STX) this.#state = 'answer';
        }
      } else if (this.#state === 'answer') {
        if (this.#escaped) {
          text.push(byte ^ ESCAPE_XOR);
          this.#escaped = false;
        } else if (byte === DLE) {
          this.#escaped = true;
        } else if (byte === ETX) {
          flush('answer');
          events.push({ type: 'answerEnd' });
          this.#state = 'report';
          this.#report = '';
        } else {
          text.push(byte);
        }
      } else if (byte !== LF && this.#report.length < LONGEST_REPORT) {
        this.#report += String.fromCharCode(byte);
      } else {
        events.push(reportEvent(this.#report));
        this.#state = 'console';
      }
    }
    flush(this.#state === 'answer' ? 'answer' : 'console');
    return events;
  }
}

function reportEvent(line: string): GuestEvent {
  const report = decodeReport(line);
  if (typeof report === 'string') return { type: 'malformed', what: report };
  return { type: 'report', report };
}
