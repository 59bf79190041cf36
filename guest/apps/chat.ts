/** The appliance: waits for requests on the console and answers them. docs/console.md is its protocol. */
import { bootNanos, now } from 'machine';
import { Control } from '../console/characters.ts';
import { isCancelled, Request, readRequest, requestText, textLength } from '../console/request.ts';
import { say, sayByte, sayBytes, sayFramed, sayHex } from '../console/say.ts';
import { answer } from '../engine/session.ts';
import { type Report, type Settings, Stop } from '../engine/settings.ts';
import { requirePack } from '../engine/weights.ts';

const settings = zeroed<Settings>();
const report = zeroed<Report>();
let readyNanos: u64 = 0;
let firstTokenNanos: u64 = 0;

export function main(): void {
  requirePack();
  readyNanos = now();
  while (true) {
    sayByte(Control.Enquiry);
    const request = readRequest(ref(settings));
    if (request == Request.End) return;
    firstTokenNanos = 0;
    if (request == Request.Line) answerLine();
    else answerFramed(request == Request.Framed);
  }
}

/** To a person: the text, and why it ends where that is not plain. */
function answerLine(): void {
  answer(requestText(), textLength(), ref(settings), ref(report), emitPlain, isCancelled);
  if (report.stop == Stop.ContextFull)
    say('\n[the context is full: switch off and on to begin anew]');
  if (report.stop == Stop.PromptTooLong) say('[too long for what is left of the context]');
  say('\n\n');
}

/** To a program: STX text ETX report LF. */
function answerFramed(isGood: bool): void {
  sayByte(Control.StartOfText);
  if (isGood) {
    answer(requestText(), textLength(), ref(settings), ref(report), emitFramed, isCancelled);
  } else {
    memory.fill(ref(report), 0, sizeof<Report>());
    report.stop = Stop.Malformed;
  }
  report.entryToReadyNanos = readyNanos;
  report.entryToFirstTokenNanos = firstTokenNanos;
  report.bootNanos = bootNanos();
  sayByte(Control.EndOfText);
  sayHex(changetype<Ptr<u8>>(ref(report)), i32(sizeof<Report>()));
  say('\n');
}

function emitPlain(bytes: Ptr<u8>, length: i32): void {
  sayBytes(bytes, length);
}

function emitFramed(bytes: Ptr<u8>, length: i32): void {
  if (firstTokenNanos == 0) firstTokenNanos = now();
  sayFramed(bytes, length);
}
