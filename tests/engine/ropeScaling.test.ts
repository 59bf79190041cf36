/** The engine with changed RoPE: the host's table of frequencies, and its magnitude. */
import { expect, test } from 'vitest';
import { packFor, withEvaluator } from '../../src/measure/guestPrograms.ts';
import { openModel } from '../../src/model/index.ts';
import { put, temporaryFolder } from '../model/files.ts';
import { writeGguf } from '../model/ggufWriter.ts';
import { tinyContent } from '../model/tinyGguf.ts';
import { FLOAT_ERROR, medianError } from './evaluation.ts';
import { createReference } from './reference.ts';

const folder = temporaryFolder();

test('YaRN with divisors', async () => {
  const { metadata, tensors } = tinyContent();
  metadata['llama.rope.scaling.type'] = { type: 'string', value: 'yarn' };
  metadata['llama.rope.scaling.factor'] = { type: 'f32', value: 4 };
  metadata['llama.rope.scaling.original_context_length'] = { type: 'u32', value: 64 };
  const divisors = Float32Array.from({ length: 8 }, (_, i) => 1 + i / 4);
  const bytes = new Uint8Array(divisors.buffer);
  const factors = { name: 'rope_freqs.weight', type: 0, shape: [8], bytes };
  const path = put(folder, 'yarn.gguf', writeGguf({ metadata, tensors: [...tensors, factors] }));
  const plainPath = put(folder, 'plain.gguf', writeGguf(tinyContent()));
  const tokens = Int32Array.from({ length: 40 }, (_, i) => (i * i * 7 + 3) % 300);

  const [model, plain] = [await openModel(path), await openModel(plainPath)];
  const reference = await createReference(model, { isRounded: true });
  const other = await createReference(plain, { isRounded: true });
  await Promise.all([model.close(), plain.close()]);
  const pack = await packFor({ model: path }, tokens.length);
  await withEvaluator(pack, 2, async (evaluator) => {
    expect(await medianError(evaluator, tokens, reference)).toBeLessThan(FLOAT_ERROR);
    expect(await medianError(evaluator, tokens, other)).toBeGreaterThan(1e-3);
  });
});
