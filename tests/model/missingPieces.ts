/** A vocabulary whose merges go through texts that are no pieces. */
import { type GgufValue, writeGguf } from './ggufWriter.ts';
import { tinyContent } from './tinyGguf.ts';

/** Pieces that are taken away: parts of longer ones, and one at the end of its merges. */
const removed = ['he', 'Ġs', 'ere'];

/** Of pieces that no merge makes, and one that nothing becomes. */
const unreachable = ['zz qq', 'Ġthe Ġthe', 'q z'];

export function makeMissingPiecesGguf(): Uint8Array {
  const shape = { vocab: 360, dim: 32, hidden: 32, heads: 2, kvHeads: 1 } as const;
  const { metadata, tensors } = tinyContent(shape);
  const pieces = metadata['tokenizer.ggml.tokens'].value as string[];
  const merges = metadata['tokenizer.ggml.merges'].value as string[];
  const changed: Record<string, GgufValue> = {
    ...metadata,
    'tokenizer.ggml.tokens': {
      type: 'strings',
      value: pieces.map((piece) => (removed.includes(piece) ? `removed ${piece}` : piece)),
    },
    'tokenizer.ggml.merges': { type: 'strings', value: [...unreachable, ...merges] },
  };
  return writeGguf({ metadata: changed, tensors });
}
