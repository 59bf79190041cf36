/** `mu perplexity` itself, on tiny models; what llama-perplexity said of them is in vectors/. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLogitsFile } from '../../src/measure/logitsFile.ts';
import { mu } from '../cli/mu.ts';
import { makeTinyGguf } from '../model/tinyGguf.ts';

const vector = JSON.parse(
  readFileSync(new URL('./vectors/llamaPerplexity.json', import.meta.url), 'utf8'),
);
/** A figure that llama-perplexity printed. */
const printedBy = (label: string) =>
  Number(vector.output.find((line: string) => line.startsWith(label))?.match(/-?\d+\.\d+/)?.[0]);
/**
 * llama-perplexity ran with a KV cache in F32, ours has halves: eleven bits of each key and value.
 */
const HALF_CACHE = 1e-3;
const relativeError = (ours: number, theirs: number) => Math.abs(ours / theirs - 1);
let folder: string;
const file = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mu-command-'));
  writeFileSync(file('base.gguf'), makeTinyGguf({ seed: 1 }));
  writeFileSync(file('model.gguf'), makeTinyGguf({ seed: 1, layers: 1 }));
  writeFileSync(file('other.gguf'), makeTinyGguf({ seed: 1, vocab: 330 }));
  writeFileSync(file('text.txt'), vector.text);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('writes a base file of llama.cpp’s tokens and compares with it', async () => {
  const size = ['-c', String(vector.contextSize), '--chunks', String(vector.chunks)];
  const base = ['--kl-divergence-base', file('base.kld')];
  const text = ['-f', file('text.txt')];
  const written = await mu(['perplexity', file('base.gguf'), ...text, ...size, ...base, '--json']);
  expect(written.code, written.stderr).toBe(0);
  const figures = JSON.parse(written.stdout);
  expect(figures).toMatchObject({ tokens: 180, chunks: 12, contextSize: 32 });
  expect(relativeError(figures.ppl, vector.basePerplexity[0])).toBeLessThan(HALF_CACHE);
  const reader = await openLogitsFile(file('base.kld'));
  await reader.close();
  expect([...reader.tokens]).toEqual(vector.tokens);

  const compared = await mu([
    'perplexity',
    file('model.gguf'),
    ...base,
    '--kl-divergence',
    '--json',
  ]);
  expect(compared.code, compared.stderr).toBe(0);
  const { kld, sameTop, tokens } = JSON.parse(compared.stdout);
  expect(relativeError(kld.mean, printedBy('Mean    KLD'))).toBeLessThan(HALF_CACHE);
  expect(relativeError(kld.max, printedBy('Maximum KLD'))).toBeLessThan(HALF_CACHE);
  expect(sameTop).toBeCloseTo(printedBy('Same top p'), 3);
  expect(tokens).toBe(180);

  const printed = await mu(['perplexity', file('model.gguf'), ...base, '--kl-divergence']);
  expect(printed.stdout).toMatch(/^Mean KLD +: +0\.4868\d\d ± 0\.0111\d\d$/m);
  expect(printed.stdout).toMatch(/^180 tokens scored, in 12 chunks of 32$/m);

  const refused = await mu(['perplexity', file('other.gguf'), ...base, '--kl-divergence']);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(/^mu: .*vocabulary: found 320, expected the model's 330/m);
});

const refusals: [string, string[], RegExp][] = [
  ['no text', [], /expected a text: -f FILE/],
  ['no base', ['--kl-divergence'], /expected --kl-divergence-base FILE/],
  ['no such text', ['-f', '/nowhere/text'], /no such file.*\/nowhere\/text/],
  ['no such base', ['--kl-divergence', '--kl-divergence-base', '/nowhere/b'], /\/nowhere\/b/],
];
test.each(refusals)('%s: one line', async (_, options, message) => {
  const { code, stdout, stderr } = await mu(['perplexity', file('base.gguf'), ...options]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(message);
});

test('a short text is refused with what it lacks', async () => {
  writeFileSync(file('short.txt'), 'too short');
  const run = await mu(['perplexity', file('base.gguf'), '-f', file('short.txt'), '-c', '32']);
  expect(run.code).toBe(1);
  expect(run.stderr).toMatch(/the text has \d+ tokens: .* needs at least 64/);
});
