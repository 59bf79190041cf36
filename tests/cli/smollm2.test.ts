/** The main path on a real model: a chat with SmolLM2-135M-Instruct, natively and booted on a PC. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findModel } from '../../src/model/pull.ts';
import { mu } from './mu.ts';

const MODEL = 'smollm2-135m-instruct';
const NO_MODEL = (await findModel(MODEL)) ? '' : `(needs the model: mu pull ${MODEL})`;

/**
 * llama.cpp 0.7.0's greedy answer, 60 tokens, to the chat template's rendering of the question, from the F32 logits of the same file:
 * llama-quantize --allow-requantize Q4_1.gguf F32.gguf F32; llama-completion -no-cnv --temp 0 -n 60
 */
const QUESTION = 'Why is the sky blue?';
const ANSWER =
  'The answer to this question lies in the intricate dance of light and color. The sky appears blue because of a phenomenon known as Rayleigh scattering. This occurs when light encounters molecules of air, which scatter the shorter wavelengths of light, particularly the blue light, in a way that blue appears to be the';

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
