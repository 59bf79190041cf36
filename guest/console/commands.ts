/** What a person may type in place of a question: lines that begin with a slash. */
import { coreCount } from 'machine';
import { CONTEXT, PACK_BYTES } from 'model';
import { variantName } from '../engine/forward.ts';
import { tokenCount } from '../engine/prompt.ts';
import { CACHE_BYTES, forget } from '../engine/session.ts';
import type { Report } from '../engine/settings.ts';
import { say, sayNumber, sayTenths } from './say.ts';

const SLASH: u8 = 0x2f;
const SPACE: u8 = 0x20;

/**
 * Whether a line is a command. One that begins with two slashes is text, from the second one on.
 */
export function isCommand(line: Ptr<u8>, length: i32): bool {
  return startsWithSlash(line, length) && !startsWithSlash(ref(line[1]), length - 1);
}

export function startsWithSlash(line: Ptr<u8>, length: i32): bool {
  return length > 0 && line[0] == SLASH;
}

/** Does what the line says. report: of the last answer. False: the machine shall switch off. */
export function obey(line: Ptr<u8>, length: i32, report: Ptr<Report>): bool {
  let end = length;
  while (line[end - 1] == SPACE) end--;
  if (isText(line, end, '/poweroff')) return false;
  if (isText(line, end, '/reset')) {
    forget();
    say('The conversation is forgotten.\n');
  } else if (isText(line, end, '/stats')) {
    sayStats(report);
  } else if (isText(line, end, '/help')) {
    say('/reset     forget the conversation\n');
    say('/stats     context, speed, memory, processor\n');
    say('/poweroff  switch off\n');
    say('//text     ask /text\n');
  } else {
    say('There is no such command, but /reset, /stats, /poweroff and /help.\n');
  }
  return true;
}

function isText(line: Ptr<u8>, length: i32, text: string): bool {
  return usize(length) == text.length && memory.compare(line, utf8(text), text.length) == 0;
}

function sayStats(report: Ptr<Report>): void {
  sayNumber('context  ', u64(tokenCount()));
  sayNumber(' tokens used, ', u64(CONTEXT - tokenCount()));
  say(' left\n');
  sayRate('prompt   ', report.promptTokens, report.promptNanos);
  sayRate('answer   ', report.generatedTokens, report.generateNanos);
  sayMebibytes('memory   model pack ', u64(PACK_BYTES));
  sayMebibytes(', KV cache ', u64(CACHE_BYTES));
  sayNumber('\ncores    ', u64(coreCount()));
  say(', variant ');
  say(variantName());
  say('\n');
}

function sayRate(what: string, tokens: i32, nanos: u64): void {
  sayNumber(what, u64(tokens));
  sayTenths(' tokens, ', nanos == 0 ? u64(0) : (u64(tokens) * 10000000000) / nanos);
  say(' tokens/s\n');
}

function sayMebibytes(what: string, bytes: u64): void {
  sayTenths(what, (bytes * 10) >> 20);
  say(' MiB');
}
