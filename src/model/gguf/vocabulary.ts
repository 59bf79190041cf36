import { type ByteString, PieceType, type Tokenizer } from '../model.ts';
import { quote } from '../modelError.ts';
import { letterOfByte } from '../tokenizer/byteLetters.ts';
import { findEndTokens } from '../tokenizer/endPieces.ts';
import { otherPreTokenizers, preTokenizers } from '../tokenizer/preTokenizers.ts';
import { isSpecial } from '../tokenizer/special.ts';
import type { Metadata } from './metadata.ts';

const MAX_PIECE = 4096;

/** Keys, without their `_token_id`, of tokens that end an answer beside eos. */
const endKeys = ['eot', 'eom', 'fim_pad', 'fim_rep', 'fim_sep'];

/**
 * The vocabulary in `tokenizer.ggml.*`: model `llama` (SentencePiece BPE) or `gpt2` (byte-level
 * BPE). What a key that is missing means is llama.cpp's rule.
 */
export function readVocabulary(metadata: Metadata): Tokenizer {
  const kind = readKind(metadata);
  const pieces = metadata.strings('tokenizer.ggml.tokens');
  if (pieces === undefined || pieces.length === 0) {
    throw metadata.error('tokenizer.ggml.tokens', 'no pieces', 'a vocabulary');
  }
  const ids = identify(metadata, pieces);
  if (kind === 'bpe') checkLetters(metadata, ids);
  const preTokenizer = kind === 'bpe' ? readPreTokenizer(metadata) : undefined;
  const types = readTypes(metadata, pieces.length);
  const special = (name: string, fallback?: number) =>
    readSpecial(metadata, name, pieces, fallback);
  const isSpm = kind === 'spm';
  const eos = special('eos', isSpm ? 2 : undefined);
  const { ends, exceptions } = findEndTokens(pieces);
  for (const id of ends) types[id] = PieceType.control; // some conversions forget it
  const named = endKeys.map((name) => special(name));
  const end = [eos, ...named, ...ends].filter((id) => id !== undefined && !exceptions.has(id));
  const rule = preTokenizers.get(preTokenizer ?? '');
  const bos = special('bos', isSpm ? 1 : undefined);
  const addBos = metadata.boolean('tokenizer.ggml.add_bos_token', isSpm || rule?.addBos === true);
  if (addBos && bos === undefined) {
    throw metadata.error('tokenizer.ggml.bos_token_id', 'nothing', 'a token: texts begin with it');
  }
  return {
    kind,
    pieces,
    scores: isSpm ? readScores(metadata, pieces.length) : undefined,
    types,
    merges: isSpm ? [] : readMerges(metadata),
    preTokenizer,
    bos,
    eos,
    unknown: special('unknown', isSpm ? 0 : undefined),
    end: [...new Set(end as number[])].sort((a, b) => a - b),
    stripsAfter: readStrips(metadata, pieces, types),
    addBos,
    addEos: metadata.boolean('tokenizer.ggml.add_eos_token', false),
    addSpacePrefix: metadata.boolean('tokenizer.ggml.add_space_prefix', isSpm),
    stripAfterBos: false,
    ignoreMerges: rule?.ignoreMerges === true,
  };
}

/**
 * Phi-3's special tokens, but for some, take white space after them away, and its files do not say
 * so: llama.cpp goes by the model's name (llama-vocab.cpp, LLAMA_TOKEN_ATTR_RSTRIP).
 */
function readStrips(metadata: Metadata, pieces: ByteString[], types: Uint8Array): number[] {
  if (!/phi-?3/i.test(metadata.text('general.name') ?? '')) return [];
  const others = new Set(['<unk>', '<s>', '<|endoftext|>']);
  return [...pieces.keys()].filter(
    (id) => pieces[id] === '</s>' || (isSpecial(types[id]) && !others.has(pieces[id])),
  );
}

function readKind(metadata: Metadata): Tokenizer['kind'] {
  const model = metadata.text('tokenizer.ggml.model');
  if (model === 'llama') return 'spm';
  if (model === 'gpt2') return 'bpe';
  throw metadata.error(
    'tokenizer.ggml.model',
    model === undefined ? 'nothing' : quote(model),
    '"llama" (SentencePiece) or "gpt2" (byte-level BPE)',
    'other tokenizers are not supported yet',
  );
}

/** The id of each piece. */
function identify(metadata: Metadata, pieces: ByteString[]): Map<ByteString, number> {
  const ids = new Map<ByteString, number>();
  for (const [id, piece] of pieces.entries()) {
    const refuse = (found: string, expected: string) =>
      metadata.error(`tokenizer.ggml.tokens[${id}]`, found, expected);
    if (piece.length > MAX_PIECE) {
      throw refuse(`${piece.length} bytes`, `at most ${MAX_PIECE}`);
    }
    const first = ids.get(piece);
    if (first !== undefined && piece !== '') {
      throw refuse(`${quote(piece)}, token ${first} too`, 'each piece once');
    }
    ids.set(piece, id);
  }
  return ids;
}

/**
 * Byte-level BPE begins with the bytes of a text, and those without a piece are lost. Real
 * vocabularies lack control characters, and bytes that UTF-8 does not have; a text needs the rest
 * of ASCII.
 */
function checkLetters(metadata: Metadata, known: Map<ByteString, number>): void {
  const isMissing = (byte: number) =>
    !known.has(Buffer.from(letterOfByte[byte], 'utf8').toString('latin1'));
  const printable = Array.from({ length: 0x7f - 0x20 }, (_, i) => 0x20 + i);
  const missing = [0x0a, ...printable].filter(isMissing);
  if (missing.length === 0) return;
  const first = JSON.stringify(String.fromCharCode(missing[0]));
  throw metadata.error(
    'tokenizer.ggml.tokens',
    `no piece for ${first}${missing.length > 1 ? ` and ${missing.length - 1} more` : ''}`,
    "a piece for each of ASCII's characters, as byte-level BPE has them",
    'texts would lose them: take another conversion',
  );
}

function readPreTokenizer(metadata: Metadata): string {
  const name = metadata.text('tokenizer.ggml.pre') ?? 'default';
  if (preTokenizers.has(name)) return name;
  const why = Object.hasOwn(otherPreTokenizers, name) ? otherPreTokenizers[name] : 'it is unknown';
  throw metadata.error(
    'tokenizer.ggml.pre',
    `${quote(name)}, which is not supported: ${why}`,
    `one of the ${preTokenizers.size} that are, such as llama-bpe, qwen2, gpt-2`,
    'take a model with another tokenizer',
  );
}

function readTypes(metadata: Metadata, count: number): Uint8Array {
  const key = 'tokenizer.ggml.token_type';
  const types = metadata.integers(key);
  if (types === undefined) return new Uint8Array(count).fill(PieceType.normal);
  checkLength(metadata, key, types.length, count);
  const wrong = types.findIndex((type) => type < PieceType.normal || type > PieceType.byte);
  if (wrong >= 0) throw metadata.error(`${key}[${wrong}]`, String(types[wrong]), '1 to 6');
  return Uint8Array.from(types);
}

function readScores(metadata: Metadata, count: number): Float32Array {
  const key = 'tokenizer.ggml.scores';
  const scores = metadata.floats(key);
  if (scores === undefined) {
    throw metadata.error(key, 'nothing', 'a score for each piece: merges go by it');
  }
  checkLength(metadata, key, scores.length, count);
  const wrong = scores.findIndex((score) => !Number.isFinite(score));
  if (wrong >= 0)
    throw metadata.error(`${key}[${wrong}]`, String(scores[wrong]), 'a finite number');
  return scores;
}

function checkLength(metadata: Metadata, key: string, found: number, expected: number): void {
  if (found === expected) return;
  throw metadata.error(key, `${found} elements`, `${expected}, one for each piece`);
}

function readMerges(metadata: Metadata): ByteString[] {
  const merges = metadata.strings('tokenizer.ggml.merges');
  if (merges === undefined) {
    throw metadata.error('tokenizer.ggml.merges', 'nothing', 'the merges of byte-level BPE');
  }
  const wrong = merges.findIndex((line) => !/^..* ./s.test(line));
  if (wrong >= 0) {
    const field = `tokenizer.ggml.merges[${wrong}]`;
    throw metadata.error(field, quote(merges[wrong]), 'two pieces with a space between them');
  }
  return merges;
}

function readSpecial(metadata: Metadata, name: string, pieces: ByteString[], fallback?: number) {
  const key = `tokenizer.ggml.${name}_token_id`;
  const max = pieces.length - 1;
  if (metadata.has(key)) return metadata.integer(key, { min: 0, max });
  return fallback !== undefined && fallback <= max ? fallback : undefined;
}
