/**
 * Evaluates token sequences for the host: the program behind `mu perplexity`
 * (src/measure/guestEvaluator.ts). Requests and answers are plain binary, little endian, one after
 * the other until the end of input:
 *
 *   guest → host   ENQ (05): ready for a request
 *   host → guest   u32 count (1 … CONTEXT) · i32[count] token ids · u32 first (0 … count)
 *   guest → host   f32[count - first][VOCABULARY]: logits of positions first … count - 1
 *
 * Every request starts a new context. A request out of these bounds gets one line of text and exit
 * code 1.
 */
import { write } from 'machine';
import { CONTEXT, MICRO_BATCH, VOCABULARY } from 'model';
import { Control } from '../console/characters.ts';
import { sayByte } from '../console/say.ts';
import { END, readWord, refuse } from '../console/words.ts';
import { evaluate, logitsOf } from '../engine/forward.ts';
import { requirePack } from '../engine/weights.ts';

const tokens = zeroed<FixedArray<i32, typeof CONTEXT>>();

export function main(): void {
  requirePack();
  while (true) {
    sayByte(Control.Enquiry);
    const count = readWord();
    if (count == END) return;
    if (count == 0 || count > CONTEXT) refuse('evaluate: count is not 1 ... CONTEXT\n');
    for (let i: i32 = 0; i < i32(count); i++) {
      const token = readWord();
      if (token == END) refuse('evaluate: input ends within a request\n');
      if (token >= VOCABULARY) refuse('evaluate: a token is not 0 ... VOCABULARY - 1\n');
      tokens[i] = i32(token);
    }
    const first = readWord();
    if (first == END) refuse('evaluate: input ends within a request\n');
    if (first > count) refuse('evaluate: first is not 0 ... count\n');
    answer(i32(count), i32(first));
  }
}

/** Evaluates tokens[0 … count-1] batch by batch and writes the logits from position `first` on. */
function answer(count: i32, first: i32): void {
  for (let start: i32 = 0; start < count; start += MICRO_BATCH) {
    const size = min(MICRO_BATCH, count - start);
    evaluate(ref(tokens[start]), size, start);
    for (let i: i32 = max(first - start, 0); i < size; i++) {
      write(changetype<Ptr<u8>>(logitsOf(i)), usize(VOCABULARY) * sizeof<f32>());
    }
  }
}
