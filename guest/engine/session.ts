/**
 * One conversation: prompt → tokens → logits → answer, streamed. The KV cache stays from turn to
 * turn.
 *
 * A full context ends the answer. Of a guest that is built with --ctx-shift the older half of the
 * conversation makes room instead, but for its first tokens (prompt.ts). llama.cpp then turns the
 * remaining keys to their new positions; they stay what they were among the tokens that are gone.
 * Here what remains is evaluated anew: the conversation goes on as one that began with exactly
 * these tokens, bit for bit, and costs one prompt of half a context for each half that is written.
 */

import { now } from 'machine';
import {
  CHAT_TEMPLATE,
  CONTEXT,
  CONTEXT_SHIFT,
  MICRO_BATCH,
  TOKEN_BOS,
  TOKENIZER_STRIP_AFTER_BOS,
  VOCABULARY,
} from 'model';
import { evaluate, logitsOf } from './forward.ts';
import {
  append,
  appendRaw,
  appendTurn,
  lastingCount,
  leaveOut,
  replaceAll,
  tokenCount,
  tokenList,
  truncate,
} from './prompt.ts';
import { seed } from './random.ts';
import { sample } from './sampler.ts';
import { Flag, type Report, type Settings, Stop } from './settings.ts';
import { isEnd, pieceLength, pieceStart } from './tokenizer.ts';

export { CACHE_BYTES } from '../kernels/attention.ts';

/** Tokens whose keys and values are in the cache. */
let evaluated: i32 = 0;

/** FNV-1a, 64 bits, over 32-bit words. Fowler, Noll, Vo. */
const FNV_BASIS: u64 = 0xcbf29ce484222325;
const FNV_PRIME: u64 = 0x100000001b3;

/**
 * Answers one request. text: u8[length]. Every piece of the answer goes to `emit` as soon as it is
 * known; `isCancelled` is asked between tokens. The report is filled in, all but what is known of
 * the machine's start.
 */
export function answer(
  text: Ptr<u8>,
  length: i32,
  settings: Ptr<Settings>,
  report: Ptr<Report>,
  emit: (bytes: Ptr<u8>, length: i32) => void,
  isCancelled: () => bool,
): void {
  memory.fill(report, 0, sizeof<Report>());
  report.tokensHash = FNV_BASIS;
  report.logitsHash = FNV_BASIS;
  if ((settings.flags & u32(Flag.Forget)) != 0) forget();
  if (!addPrompt(text, length, settings, report)) {
    report.stop = Stop.PromptTooLong;
  } else if (tokenCount() == evaluated) {
    report.stop = Stop.Malformed; // nothing at all to go on
  } else {
    generate(settings, report, emit, isCancelled);
  }
  report.contextUsed = tokenCount();
}

/** Counts its tokens as the report's. False if they do not fit: then nothing has been added. */
function addPrompt(text: Ptr<u8>, length: i32, settings: Ptr<Settings>, report: Ptr<Report>): bool {
  let before = tokenCount();
  let older = before;
  let fits = true;
  if ((settings.flags & u32(Flag.Segments)) != 0) {
    const kept = replaceAll(text, length);
    fits = kept >= 0;
    // The last token is evaluated in any case: its logits choose the next one.
    evaluated = max(0, min(evaluated, min(kept, tokenCount() - 1)));
    before = evaluated;
    older = 0;
  } else if (!CHAT_TEMPLATE || (settings.flags & u32(Flag.Raw)) != 0) {
    fits = appendRaw(text, length, (settings.flags & u32(Flag.NoStart)) == 0);
  } else {
    fits = appendTurn(text, length);
  }
  const added = tokenCount() - before;
  if (CONTEXT_SHIFT && fits) fits = makeRoom(older, report);
  if (!fits) truncate(before);
  report.promptTokens = fits ? added : 0;
  return fits;
}

/** The next answer begins a new conversation. */
export function forget(): void {
  truncate(0);
  evaluated = 0;
}

/** Leaves out older tokens until all fit. False: those from `first` on are too many. */
function makeRoom(first: i32, report: Ptr<Report>): bool {
  if (min(first, lastingCount()) + tokenCount() - first > CONTEXT) return false;
  let end = first;
  while (tokenCount() > CONTEXT) end -= shift(end, report);
  return true;
}

/** leaveOut. What moved is not in the cache at its new place: it is evaluated anew. */
function shift(end: i32, report: Ptr<Report>): i32 {
  const leftOut = leaveOut(end);
  if (leftOut > 0) {
    evaluated = min(evaluated, lastingCount());
    report.shifts += 1;
  }
  return leftOut;
}

/** Makes room for a token of the answer where the context is full and is to go on. */
function spare(token: i32, settings: Ptr<Settings>, report: Ptr<Report>): void {
  if (tokenCount() == CONTEXT && settings.predict >= -1 && !isEnd(token)) {
    shift(tokenCount(), report);
  }
}

function generate(
  settings: Ptr<Settings>,
  report: Ptr<Report>,
  emit: (bytes: Ptr<u8>, length: i32) => void,
  isCancelled: () => bool,
): void {
  seed(settings.seed);
  const began = now();
  let logits = catchUp();
  const prompted = now();
  report.entryToPromptNanos = began;
  report.promptNanos = prompted - began;
  report.stop = Stop.Limit;
  while (settings.predict < 0 || report.generatedTokens < settings.predict) {
    if ((settings.flags & u32(Flag.HashLogits)) != 0)
      report.logitsHash = hashLogits(report.logitsHash, logits);
    const window = max(0, min(settings.repeatLast, tokenCount()));
    const token = sample(logits, settings, ref(tokenList()[tokenCount() - window]), window);
    if (report.generatedTokens == 0) report.entryToFirstTokenNanos = now();
    report.tokensHash = (report.tokensHash ^ u64(u32(token))) * FNV_PRIME;
    if (CONTEXT_SHIFT) spare(token, settings, report);
    if (isEnd(token)) {
      report.stop = Stop.EndToken;
    } else if (!append(token, CONTEXT)) {
      report.stop = Stop.ContextFull;
    } else {
      emitPiece(token, emit);
      report.generatedTokens += 1;
      if (isCancelled()) report.stop = Stop.Cancelled;
    }
    if (report.stop != Stop.Limit) break;
    if (report.generatedTokens != settings.predict) logits = catchUp();
  }
  report.generateNanos = now() - prompted;
}

/** Evaluates the tokens that are not in the cache yet; returns the logits after the last. */
function catchUp(): Ptr<f32> {
  let size: i32 = 0;
  while (evaluated < tokenCount()) {
    size = min(MICRO_BATCH, tokenCount() - evaluated);
    evaluate(ref(tokenList()[evaluated]), size, evaluated);
    evaluated += size;
  }
  return logitsOf(size - 1);
}

function emitPiece(token: i32, emit: (bytes: Ptr<u8>, length: i32) => void): void {
  const piece = pieceStart(token);
  const length = pieceLength(token);
  // llama2.c: SentencePiece's own leading space is not part of the text
  const isFirst =
    TOKENIZER_STRIP_AFTER_BOS && tokenCount() >= 2 && tokenList()[tokenCount() - 2] == TOKEN_BOS;
  if (isFirst && length > 0 && piece[0] == 32) emit(ref(piece[1]), length - 1);
  else emit(piece, length);
}

function hashLogits(hash: u64, logits: Ptr<f32>): u64 {
  let result = hash;
  const words = changetype<Ptr<u32>>(logits);
  for (let i: i32 = 0; i < VOCABULARY; i++) result = (result ^ u64(words[i])) * FNV_PRIME;
  return result;
}
