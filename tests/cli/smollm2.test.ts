/**
 * The main path on a real model: a chat with SmolLM2-135M-Instruct, natively and booted on a PC.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findModel } from '../../src/pull/models.ts';
import { mu } from './mu.ts';

const MODEL = 'smollm2-135m-instruct';
const NO_MODEL = (await findModel(MODEL)) ? '' : `(needs the model: mu pull ${MODEL})`;

/**
 * llama.cpp 0.7.0's greedy answer, 60 tokens, to the chat template's rendering of the question,
 * from the F32 logits of the same file: llama-quantize --allow-requantize Q4_1.gguf F32.gguf F32;
 * llama-server, POST /completion, temperature 0, n_predict 60. Its two likeliest tokens are never
 * nearer than 0.07 in log probability. (To "Why is the sky blue?" they begin 0.05 apart, which
 * rounding to 8 bits decides.)
 */
const QUESTION = 'What is photosynthesis?';
const ANSWER =
  'Photosynthesis is a vital biological process that occurs in plants, algae, and some bacteria, where they convert light energy from the sun into chemical energy stored in glucose and oxygen. This process is essential for life on Earth as it provides the primary energy source for nearly all ecosystems. The process involves the conversion';

describe.skipIf(NO_MODEL !== '')(`SmolLM2 ${NO_MODEL}`, () => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mu-smollm2-'));
    const { code, stderr } = await mu(['build', MODEL, '--stack', 'unikernel', '-o', folder]);
    expect(code, stderr).toBe(0);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('answers as llama.cpp does in F32', async () => {
    const args = ['run', MODEL, '-p', QUESTION, '-n', '60', '--temp', '0'];
    const { code, stdout, stderr } = await mu(args);
    expect(stdout, stderr).toBe(`${ANSWER}\n`);
    expect(code).toBe(0);
  });

  test('booted without an operating system it answers with the same bits', async () => {
    const args = ['-p', QUESTION, '-n', '4', '--temp', '0', '--json'];
    const outcomes = [await mu(['run', MODEL, ...args]), await mu(['boot', folder, ...args])];
    const [native, booted] = outcomes.map(({ stdout, stderr, code }) => {
      expect(code, stderr).toBe(0);
      const { text, promptTokens, tokensHash, logitsHash } = JSON.parse(stdout);
      return { text, promptTokens, tokensHash, logitsHash };
    });
    expect(booted).toEqual(native);
    expect(ANSWER.startsWith(booted.text)).toBe(true);
  }, 400_000);

  test('a chat keeps what was said', async () => {
    const lines = 'My favourite colour is green.\nRepeat: what is my favourite colour?\n';
    const { code, stdout, stderr } = await mu(['chat', MODEL, '--temp', '0', '-n', '40'], lines);
    expect(code, stderr).toBe(0);
    expect(stdout.toLowerCase()).toContain('green');
  });
});
