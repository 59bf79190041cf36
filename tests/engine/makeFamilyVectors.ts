/**
 * Writes vectors/families.json anew: what llama.cpp's perplexity is of each model of
 * ../model/familyModels.ts.
 *
 *     npx tsx tests/engine/makeFamilyVectors.ts FOLDER-OF-LLAMA-PERPLEXITY
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { familyModels } from '../model/familyModels.ts';
import { makeTinyGguf } from '../model/tinyGguf.ts';

const CONTEXT = 128;
const CHUNKS = 2;
/** Nothing is rounded to less than f32. */
const EXACT = ['-fa', 'off', '-ctk', 'f32', '-ctv', 'f32', '-t', '1'];

const program = join(process.argv[2] ?? '', 'llama-perplexity');
const folder = mkdtempSync(join(tmpdir(), 'mu-family-vectors-'));
/** Every letter and some words: token ids are all that counts. */
const text = Array.from({ length: 900 }, (_, i) => String.fromCharCode(33 + ((i * i * 7) % 90)));
const textFile = join(folder, 'text.txt');
writeFileSync(textFile, text.join(''));

const models: Record<string, object> = {};
for (const [name, shape] of familyModels) {
  const bytes = makeTinyGguf(shape);
  const path = join(folder, 'model.gguf');
  writeFileSync(path, bytes);
  const args = ['-m', path, '-f', textFile, '-c', `${CONTEXT}`, '--chunks', `${CHUNKS}`, ...EXACT];
  const { stdout, stderr, status } = spawnSync(program, args, { encoding: 'utf8' });
  const found = /Final estimate: PPL = ([\d.]+)/.exec(stdout + stderr);
  if (!found) throw new Error(`${name}: llama-perplexity ended with ${status}\n${stderr}`);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  models[name] = { sha256, perplexity: Number(found[1]) };
  process.stderr.write(`${name}: ${found[1]}\n`);
}
rmSync(folder, { recursive: true });
const version = spawnSync(program, ['--version'], { encoding: 'utf8' });
const source = /version: .*/.exec(version.stderr + version.stdout)?.[0];
const command = ['llama-perplexity', '-c', CONTEXT, '--chunks', CHUNKS, ...EXACT].join(' ');
const vectors = { source: `llama.cpp ${source}`, command, text: text.join(''), models };
writeFileSync(
  new URL('./vectors/families.json', import.meta.url),
  `${JSON.stringify(vectors, null, 2)}\n`,
);
