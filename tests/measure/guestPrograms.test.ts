/** Which pack a model is measured with. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { packFor, plainValue } from '../../src/measure/guestPrograms.ts';
import { writeGguf } from '../model/ggufWriter.ts';
import { tinyContent } from '../model/tinyGguf.ts';

const folder = mkdtempSync(join(tmpdir(), 'mu-packs-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('LongRoPE: a chunk within the original context has its frequencies, whatever mu run has', async () => {
  const { metadata, tensors } = tinyContent({ context: 256 });
  metadata['llama.rope.scaling.original_context_length'] = { type: 'u32', value: 100 };
  const factors = (name: string, value: number) => ({
    ...{ name: `rope_factors_${name}.weight`, type: 0, shape: [8] },
    bytes: new Uint8Array(new Float32Array(8).fill(value).buffer),
  });
  const model = join(folder, 'long.gguf');
  writeFileSync(
    model,
    writeGguf({ metadata, tensors: [...tensors, factors('short', 2), factors('long', 4)] }),
  );
  const firstFrequency = async (positions: number) => {
    const { constants, plan } = await packFor({ model }, positions);
    expect(plan.context).toBeGreaterThanOrEqual(positions);
    return (plainValue(constants.ROPE_FREQUENCIES) as number[])[0];
  };
  expect(await firstFrequency(64)).toBe(1 / 2);
  expect(await firstFrequency(100)).toBe(1 / 2);
  expect(await firstFrequency(101)).toBe(1 / 4);
  expect(await firstFrequency(200)).toBe(1 / 4);
});
