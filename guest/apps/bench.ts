/**
 * Times the engine for the host: the program behind `mu bench` (src/measure/speedGuests.ts).
 * Requests and answers are plain binary, little endian, one after the other until the end of input:
 *
 *   guest → host   ENQ (05): ready for a request
 *   host → guest   u32 prompt · u32 generated · u32 depth: tokens, ≤ CONTEXT in all
 *   guest → host   u64 nanoseconds · f32[VOCABULARY]: the logits after the last token
 *
 * The first `depth` positions are filled beforehand. Then the clock runs for a prompt of `prompt`
 * tokens, in batches, with the logits that follow it, and for `generated` tokens one by one, each
 * with its logits. Tokens are random, as in llama-bench: what a token is changes nothing of the
 * work, and a sampler would be measured as well. The logits show that the work was done: of a
 * program that never looks at them, the compiler would leave the output matrix out. A request out
 * of these bounds gets one line of text and exit code 1.
 */
import { now, write } from 'machine';
import { CONTEXT, MICRO_BATCH, VOCABULARY } from 'model';
import { Control } from '../console/characters.ts';
import { sayByte } from '../console/say.ts';
import { END, readWord, refuse, writeLong } from '../console/words.ts';
import { evaluate, logitsOf } from '../engine/forward.ts';
import { random } from '../engine/random.ts';
import { requirePack } from '../engine/weights.ts';

const tokens = zeroed<FixedArray<i32, typeof CONTEXT>>();

/** f32[VOCABULARY]: what the last token gave. */
let last: Ptr<f32> = null;

/** Positions whose keys and values are in the cache since an earlier request. */
let filled: i32 = 0;

export function main(): void {
  requirePack();
  for (let i: i32 = 0; i < CONTEXT; i++) tokens[i] = i32(random() * f32(VOCABULARY));
  while (true) {
    sayByte(Control.Enquiry);
    const prompt = readWord();
    if (prompt == END) return;
    const generated = readWord();
    const depth = readWord();
    if (generated == END || depth == END) refuse('bench: input ends within a request\n');
    if (prompt + generated == 0) refuse('bench: no tokens\n');
    if (prompt + generated + depth > CONTEXT) refuse('bench: more positions than CONTEXT\n');
    writeLong(measure(i32(prompt), i32(generated), i32(depth)));
    write(changetype<Ptr<u8>>(last), usize(VOCABULARY) * sizeof<f32>());
  }
}

/** Nanoseconds for a prompt from position `depth` on, and tokens one by one after it. */
function measure(prompt: i32, generated: i32, depth: i32): u64 {
  if (filled < depth) fill(filled, depth);
  const end = depth + prompt + generated;
  filled = max(filled, end);
  const start = now();
  if (prompt > 0) last = logitsOf(fill(depth, depth + prompt) - 1);
  for (let position = depth + prompt; position < end; position++) {
    evaluate(ref(tokens[position]), 1, position);
    last = logitsOf(0);
    volatile.load<f32>(last);
  }
  return now() - start;
}

/** Evaluates positions first … end - 1 in batches; returns the size of the last one. */
function fill(first: i32, end: i32): i32 {
  let size: i32 = 0;
  for (let position = first; position < end; position += MICRO_BATCH) {
    size = min(MICRO_BATCH, end - position);
    evaluate(ref(tokens[position]), size, position);
  }
  return size;
}
