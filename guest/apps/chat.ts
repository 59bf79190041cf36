/**
 * The appliance: waits for requests on the console and answers them. docs/console.md is its
 * protocol.
 */
import { bootNanos, Milestone, milestoneNanos, now } from 'machine';
import { CHAT_BY_HOST, CHAT_TEMPLATE, CONTEXT_SHIFT, MAX_PROMPT_BYTES } from 'model';
import { Control } from '../console/characters.ts';
import { isCommand, obey, startsWithSlash } from '../console/commands.ts';
import { lineLength, lineText } from '../console/editor.ts';
import { isCancelled, Request, readRequest } from '../console/request.ts';
import { say, sayByte, sayFramed, sayHex, sayNumber, sayPlain } from '../console/say.ts';
import { answer } from '../engine/session.ts';
import { PROTOCOL_VERSION, type Report, type Settings, Stop } from '../engine/settings.ts';
import { requirePack } from '../engine/weights.ts';

const settings = zeroed<Settings>();
const report = zeroed<Report>();
let readyNanos: u64 = 0;
let isSaid = false; // sayLimits has spoken

export function main(): void {
  requirePack();
  readyNanos = now();
  while (true) {
    sayByte(Control.Enquiry);
    const request = readRequest(ref(settings));
    if (request == Request.End) return;
    if (request == Request.LongLine) {
      refuseLine();
    } else if (request != Request.Line) {
      answerFramed(request);
    } else if (!isCommand(lineText(), lineLength())) {
      answerLine();
    } else if (!obey(lineText(), lineLength(), ref(report))) {
      sayByte(Control.EndOfTransmission);
      return;
    }
  }
}

/** To a person: the text, and why it ends where that is not plain. */
function answerLine(): void {
  if (CHAT_BY_HOST) sayLimits();
  const skipped = startsWithSlash(lineText(), lineLength()) ? 1 : 0; // the first of two
  const text = ref(lineText()[skipped]);
  answer(text, lineLength() - skipped, ref(settings), ref(report), sayPlain, isCancelled);
  if (CONTEXT_SHIFT && report.shifts > 0) say('\n[the oldest part of the conversation made room]');
  if (report.stop == Stop.ContextFull) say('\n[the context is full: /reset begins anew]');
  if (report.stop == Stop.PromptTooLong)
    say('[too long for what is left of the context: /reset begins anew]');
  say('\n\n');
}

/** Once, what only the host would do. */
function sayLimits(): void {
  if (isSaid) return;
  isSaid = true;
  if (CHAT_TEMPLATE) say('[earlier answers stay as they were said, with their thoughts]\n');
  else say('[only mu chat and mu boot -p know this chat template: text is continued]\n');
}

function refuseLine(): void {
  sayNumber('[longer than ', u64(MAX_PROMPT_BYTES));
  say(' bytes, so it was not asked]\n\n');
}

/** To a program: STX text ETX report LF. */
function answerFramed(request: Request): void {
  sayByte(Control.StartOfText);
  if (request == Request.Framed) {
    answer(lineText(), lineLength(), ref(settings), ref(report), sayFramed, isCancelled);
  } else {
    memory.fill(ref(report), 0, sizeof<Report>());
    report.stop = Stop.PromptTooLong; // Request.LongFramed
    if (request == Request.Malformed) report.stop = Stop.Malformed;
    if (request == Request.OtherVersion) report.stop = Stop.OtherVersion;
  }
  report.version = PROTOCOL_VERSION;
  addStart();
  sayByte(Control.EndOfText);
  sayHex(changetype<Ptr<u8>>(ref(report)), i32(sizeof<Report>()));
  say('\n');
}

/** When the machine's start had come how far. */
function addStart(): void {
  report.bootNanos = bootNanos();
  report.entryToMemoryReadyNanos = milestoneNanos(Milestone.MemoryReady);
  report.entryToPackMappedNanos = milestoneNanos(Milestone.PackMapped);
  report.entryToCoresUpNanos = milestoneNanos(Milestone.CoresUp);
  report.entryToReadyNanos = readyNanos;
}
