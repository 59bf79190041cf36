/** Which tokens end an answer. Rules: llama.cpp's llama-vocab.cpp, special_eog_ids. */
import { expect, test } from 'vitest';
import { findEndTokens } from '../../src/model/tokenizer/endPieces.ts';

const endsAmong = (...pieces: string[]) => {
  const bytes = pieces.map((piece) => Buffer.from(piece).toString('latin1'));
  return [...findEndTokens(bytes).ends].map((id) => pieces[id]).sort();
};

test('by their names', () => {
  expect(endsAmong('a', '<|im_start|>', '<|im_end|>', '<｜end▁of▁sentence｜>', '</s>')).toEqual([
    '</s>',
    '<|im_end|>',
    '<｜end▁of▁sentence｜>',
  ]);
  expect(endsAmong('<eos>', '<turn|>', '_<EOT>', '[EOS]', '[e~[')).toHaveLength(5);
});

test('gpt-oss: <|end|> ends one message of several', () => {
  expect(endsAmong('<|end|>', '<|user|>')).toEqual(['<|end|>']);
  expect(endsAmong('<|end|>', '<|return|>')).toEqual(['<|end|>', '<|return|>']);
  expect(endsAmong('<|end|>', '<|return|>', '<|call|>')).toEqual(['<|call|>', '<|return|>']);
  expect(endsAmong('<|end|>', '<|flush|>', '<|calls|>')).toEqual(['<|calls|>', '<|flush|>']);
});

test('Gemma 4: </s> is HTML', () => {
  expect(endsAmong('</s>', '<turn|>')).toEqual(['</s>', '<turn|>']);
  expect(endsAmong('</s>', '<|tool_response>')).toEqual(['<|tool_response>']);
});
