/** A tiny vocabulary of Llama 3's kind: words taken whole, user-defined tokens, start token. */
import { type GgufValue, writeGguf } from './ggufWriter.ts';
import { tinyContent } from './tinyGguf.ts';

const NORMAL = 1;
const USER_DEFINED = 4;

/** Pieces that no merge makes. Ġ is a space. */
const additions: [piece: string, type: number][] = [
  ['Ġhello', NORMAL],
  ['xyz', NORMAL],
  ['1234', NORMAL], // longer than any word of digits
  ['<tool>', USER_DEFINED],
  ['<tool>s', USER_DEFINED],
  ['  ', USER_DEFINED],
  ['中', USER_DEFINED],
];

export function makeLlama3Gguf(): Uint8Array {
  const { metadata, tensors } = tinyContent({
    vocab: 360,
    dim: 32,
    hidden: 32,
    heads: 2,
    kvHeads: 1,
  });
  const pieces = listOf<string>(metadata['tokenizer.ggml.tokens']);
  const types = listOf<number>(metadata['tokenizer.ggml.token_type']);
  for (const [i, [piece, type]] of additions.entries()) {
    const token = pieces.length - additions.length + i;
    pieces[token] = piece;
    types[token] = type;
  }
  const changed: Record<string, GgufValue> = {
    ...metadata,
    'tokenizer.ggml.pre': { type: 'string', value: 'llama-bpe' },
    'tokenizer.ggml.tokens': { type: 'strings', value: pieces },
    'tokenizer.ggml.token_type': { type: 'i32s', value: types },
    'tokenizer.ggml.add_bos_token': { type: 'bool', value: true },
  };
  return writeGguf({ metadata: changed, tensors });
}

function listOf<T>({ value }: GgufValue): T[] {
  return [...(value as unknown as T[])];
}
