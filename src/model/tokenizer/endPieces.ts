import type { ByteString } from '../model.ts';

/**
 * Pieces that end a turn or a text whatever the file says about them: models name only one end
 * token, and chat templates use others. The names are those that llama.cpp stops at
 * (llama-vocab.cpp, special_eog_ids).
 */
const endPieces: readonly string[] = [
  '<|eot_id|>', // Llama 3
  '<|eom_id|>',
  '<|im_end|>', // ChatML
  '<|end|>', // Phi 3
  '<|return|>', // gpt-oss
  '<|call|>',
  '<|flush|>', // Solar Open
  '<|calls|>',
  '<|endoftext|>', // GPT-2
  '<|end_of_text|>', // Llama 3, Granite
  '<end_of_turn>', // Gemma
  '<eos>',
  '<turn|>', // Gemma 4
  '<|tool_response>',
  '<end_of_utterance>', // SmolVLM
  '</s>', // SentencePiece
  '<EOT>',
  '_<EOT>',
  '[EOT]', // Kimi
  '[EOS]',
  '[e~[', // MiniMax
  '<｜end▁of▁sentence｜>', // DeepSeek
  // what models that fill gaps in code put between files and after them
  ...['<|fim_pad|>', '<fim-pad>', '<fim_pad>', '<PAD>', '[PAD]'],
  ...['<|fim_repo|>', '<|repo_name|>', '<fim-repo>', '<REPO>', '<reponame>'],
  '<|file_sep|>',
];

/** Pieces that end nothing where all of some others are pieces too. Source: as above. */
const exceptions: readonly { piece: string; beside: readonly string[] }[] = [
  { piece: '<|end|>', beside: ['<|return|>', '<|call|>'] }, // gpt-oss: one message of several
  { piece: '<|end|>', beside: ['<|calls|>', '<|flush|>'] }, // Solar Open
  { piece: '</s>', beside: ['<|tool_response>'] }, // Gemma 4: HTML
  { piece: '</s>', beside: ['<|plamo:eos|>'] },
];

/** The tokens of a vocabulary that the lists above name. */
export function findEndTokens(pieces: readonly ByteString[]): {
  ends: Set<number>;
  /** These do not end an answer, whoever says so. */
  exceptions: Set<number>;
} {
  const ids = new Map(pieces.map((piece, id) => [piece, id]));
  const idOf = (text: string) => ids.get(Buffer.from(text, 'utf8').toString('latin1'));
  const found = (texts: readonly string[]) =>
    new Set(texts.map(idOf).filter((id) => id !== undefined));
  const holding = exceptions.filter(({ beside }) =>
    beside.every((text) => idOf(text) !== undefined),
  );
  const not = found(holding.map(({ piece }) => piece));
  const ends = found(endPieces);
  for (const id of not) ends.delete(id);
  return { ends, exceptions: not };
}
