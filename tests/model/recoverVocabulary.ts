/**
 * The vocabularies in $MU_MODELS/vocab are GGUF files that went through a text conversion: every
 * byte that was no UTF-8 became U+FFFD (EF BF BD). Strings are whole; a length, count or number
 * with a byte ≥ 80 is damaged. This reads what is left, so that llama.cpp's own test vectors for
 * them can be used.
 */
import { type GgufValue, writeGguf } from './ggufWriter.ts';
import { tinyContent } from './tinyGguf.ts';

const REPLACEMENT = Buffer.from('efbfbd', 'hex');

/** Strings of a damaged array of strings: the key names it, `next` is the key that follows. */
export function recoverStrings(file: Buffer, key: string, next: string): string[] {
  let at = afterArrayHead(file, key);
  const strings: string[] = [];
  for (;;) {
    const { end, length } = readLength(file, at);
    const stop = length === undefined ? endOfString(file, end) : end + length;
    const text = file.toString('latin1', end, stop);
    if (text === next) return strings;
    strings.push(text);
    at = stop;
  }
}

/** A damaged array of small i32. */
export function recoverIntegers(file: Buffer, key: string, count: number): number[] {
  const at = afterArrayHead(file, key);
  return Array.from({ length: count }, (_, i) => file.readInt32LE(at + 4 * i));
}

/** Position of an array's first element: key, value type u32, element type u32, count u64. */
function afterArrayHead(file: Buffer, key: string): number {
  const at = file.indexOf(key);
  if (at < 0) throw new Error(`no key ${key}`);
  return readLength(file, at + key.length + 8).end;
}

/** A u64: its value where it is whole, and where it ends. */
function readLength(file: Buffer, at: number): { length?: number; end: number } {
  let end = at;
  let isWhole = true;
  for (let byte = 0; byte < 8; byte++) {
    const isDamaged = file.subarray(end, end + 3).equals(REPLACEMENT);
    if (isDamaged) isWhole = false;
    end += isDamaged ? 3 : 1;
  }
  return { length: isWhole ? Number(file.readBigUInt64LE(at)) : undefined, end };
}

/**
 * Strings have no NUL, so the next one belongs to the length of the next string: one byte, or a
 * damaged one, before it.
 */
function endOfString(file: Buffer, start: number): number {
  const zero = file.indexOf(0, start);
  return file.subarray(zero - 3, zero).equals(REPLACEMENT) ? zero - 3 : zero - 1;
}

/** What is lost and known from elsewhere: start and end tokens of the models. */
const specialTokens = {
  'llama-spm': { bos: 1, eos: 2 },
  'gpt-2': { bos: 50256, eos: 50256 },
  'deepseek-llm': { bos: 100000, eos: 100001 },
};

export type VocabularyName = keyof typeof specialTokens;

/** A tiny random model with one of the vocabularies, as a GGUF file. */
export function recoverModel(file: Buffer, name: VocabularyName): Uint8Array {
  const isSpm = name === 'llama-spm';
  const afterTokens = isSpm ? 'tokenizer.ggml.scores' : 'tokenizer.ggml.token_type';
  const pieces = recoverStrings(file, 'tokenizer.ggml.tokens', afterTokens);
  const types = recoverIntegers(file, 'tokenizer.ggml.token_type', pieces.length);
  const shape = { vocab: 300, dim: 32, hidden: 32, heads: 1, kvHeads: 1, layers: 1 } as const;
  const { metadata, tensors } = tinyContent({ ...shape, type: 'Q4_0' });
  const tokenizer: Record<string, GgufValue> = {
    'tokenizer.ggml.model': { type: 'string', value: isSpm ? 'llama' : 'gpt2' },
    'tokenizer.ggml.pre': { type: 'string', value: isSpm ? 'default' : name },
    'tokenizer.ggml.tokens': { type: 'strings', value: pieces.map(bytesOf) },
    'tokenizer.ggml.token_type': { type: 'i32s', value: types },
    'tokenizer.ggml.bos_token_id': { type: 'u32', value: specialTokens[name].bos },
    'tokenizer.ggml.eos_token_id': { type: 'u32', value: specialTokens[name].eos },
  };
  if (isSpm) {
    tokenizer['tokenizer.ggml.scores'] = { type: 'f32s', value: pieces.map(llamaScore) };
  } else {
    const merges = recoverStrings(file, 'tokenizer.ggml.merges', 'tokenizer.ggml.bos_token_id');
    tokenizer['tokenizer.ggml.merges'] = { type: 'strings', value: merges.map(bytesOf) };
  }
  const others = Object.entries(metadata).filter(([key]) => !key.startsWith('tokenizer.'));
  const embedding = {
    ...tensors[0],
    shape: [shape.dim, pieces.length],
    bytes: new Uint8Array((pieces.length * shape.dim * 18) / 32),
  };
  return writeGguf({
    metadata: { ...Object.fromEntries(others), ...tokenizer },
    tensors: [embedding, ...tensors.slice(1)],
  });
}

/**
 * Llama's scores: the pieces after the bytes are in the order of their merges, and pieces of spaces
 * alone come last; the damaged file still shows sixteen -1e9 (28 6b 6e ce) at their places.
 */
function llamaScore(piece: string, token: number): number {
  const FIRST_MERGE = 259;
  if (token < FIRST_MERGE) return 0;
  return /^(?:\xe2\x96\x81)+$/.test(piece) ? -1e9 : FIRST_MERGE - token;
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}
