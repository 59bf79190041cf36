/** Vocabularies of a few hundred tokens, both kinds, learnt from one sentence. */
import { letterOfByte } from '../../src/model/tokenizer/byteLetters.ts';
import type { GgufValue } from './ggufWriter.ts';

const SENTENCE =
  'the quick brown fox jumps over the lazy dog because the sky is blue and the sun shines on the river ' +
  'where there were other things that they thought were there then and now ';

const NORMAL = 1;
const UNKNOWN = 2;
const CONTROL = 3;
const UNUSED = 5;
const BYTE = 6;

/** ChatML, as SmolLM2 has it. */
const CHAT_TEMPLATE =
  "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/** Byte-level BPE: three control tokens, 256 bytes, merges. */
export function byteVocabulary(size: number): Record<string, GgufValue> {
  const control = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'];
  const words = SENTENCE.split(/(?= )/).map((word) =>
    [...Buffer.from(word)].map((byte) => letterOfByte[byte]),
  );
  const merges = learnMerges(words, size - control.length - letterOfByte.length);
  const pieces = [...control, ...letterOfByte, ...merges.map((pair) => pair.join(''))];
  const types = pieces.map((_, token) => (token < control.length ? CONTROL : NORMAL));
  fill(pieces, types, size);
  return {
    'tokenizer.ggml.model': { type: 'string', value: 'gpt2' },
    'tokenizer.ggml.pre': { type: 'string', value: 'smollm' },
    'tokenizer.ggml.tokens': { type: 'strings', value: pieces },
    'tokenizer.ggml.token_type': { type: 'i32s', value: types },
    'tokenizer.ggml.merges': { type: 'strings', value: merges.map((pair) => pair.join(' ')) },
    'tokenizer.ggml.bos_token_id': { type: 'u32', value: 1 },
    'tokenizer.ggml.eos_token_id': { type: 'u32', value: 2 },
    'tokenizer.ggml.add_bos_token': { type: 'bool', value: false },
    'tokenizer.chat_template': { type: 'string', value: CHAT_TEMPLATE },
  };
}

/** SentencePiece BPE: unknown, start, end, 256 bytes, characters, merges scored by rank. */
export function sentenceVocabulary(size: number): Record<string, GgufValue> {
  const pieces = ['<unk>', '<s>', '</s>'];
  const types = [UNKNOWN, CONTROL, CONTROL];
  for (let byte = 0; byte < 256; byte++) {
    pieces.push(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    types.push(BYTE);
  }
  const text = [...` ${SENTENCE}`.replaceAll(' ', '▁')];
  const characters = [...new Set(text)];
  const merges = learnMerges([text], size - pieces.length - characters.length);
  const scores = pieces.map(() => 0);
  for (const [rank, piece] of merges.map((pair) => pair.join('')).entries()) {
    pieces.push(piece);
    scores.push(-rank - 1);
  }
  for (const character of characters) {
    pieces.push(character);
    scores.push(-merges.length - 1);
  }
  while (types.length < pieces.length) types.push(NORMAL);
  fill(pieces, types, size);
  while (scores.length < size) scores.push(0);
  return {
    'tokenizer.ggml.model': { type: 'string', value: 'llama' },
    'tokenizer.ggml.tokens': { type: 'strings', value: pieces },
    'tokenizer.ggml.scores': { type: 'f32s', value: scores },
    'tokenizer.ggml.token_type': { type: 'i32s', value: types },
    'tokenizer.ggml.bos_token_id': { type: 'u32', value: 1 },
    'tokenizer.ggml.eos_token_id': { type: 'u32', value: 2 },
    'tokenizer.ggml.unknown_token_id': { type: 'u32', value: 0 },
  };
}

/** The most frequent neighbours, up to `count` times: Gage 1994. The words change in place. */
function learnMerges(words: string[][], count: number): [string, string][] {
  if (count < 0) throw new Error('the vocabulary is too small for its bytes');
  const merges: [string, string][] = [];
  while (merges.length < count) {
    const counts = new Map<string, number>();
    for (const word of words) {
      for (let i = 0; i + 1 < word.length; i++) {
        const pair = `${word[i]} ${word[i + 1]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    }
    const best = [...counts].sort((a, b) => b[1] - a[1])[0];
    if (best === undefined) break;
    const [left, right] = best[0].split(' ');
    merges.push([left, right]);
    for (const word of words) {
      for (let i = 0; i + 1 < word.length; i++) {
        if (word[i] === left && word[i + 1] === right) word.splice(i, 2, left + right);
      }
    }
  }
  const known = new Set<string>();
  return merges.filter((pair) => !known.has(pair.join('')) && known.add(pair.join('')));
}

function fill(pieces: string[], types: number[], size: number): void {
  while (pieces.length < size) {
    pieces.push(`<unused${pieces.length}>`);
    types.push(UNUSED);
  }
  if (pieces.length > size) throw new Error(`a vocabulary of ${size} is too small`);
}
