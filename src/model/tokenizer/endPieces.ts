import type { ByteString } from '../model.ts';

const bytes = (text: string): ByteString => Buffer.from(text, 'utf8').toString('latin1');

/**
 * Pieces that end a turn or a text whatever the file says about them: models name only one end
 * token, and chat templates use others. The names are those that llama.cpp stops at
 * (llama-vocab.cpp, special_eog_ids).
 */
export const endPieces: ReadonlySet<ByteString> = new Set(
  [
    '<|eot_id|>', // Llama 3
    '<|eom_id|>',
    '<|im_end|>', // ChatML
    '<|end|>', // Phi 3
    '<|endoftext|>', // GPT-2
    '<|end_of_text|>', // Llama 3, Granite
    '<end_of_turn>', // Gemma
    '<end_of_utterance>', // SmolVLM
    '</s>', // SentencePiece
    '<EOT>',
    '<｜end▁of▁sentence｜>', // DeepSeek
    '<|fim_pad|>',
    '<|repo_name|>',
    '<reponame>',
    '<|file_sep|>',
  ].map(bytes),
);
