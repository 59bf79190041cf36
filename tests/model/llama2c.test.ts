import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dequantize, openModel, type Tensor } from '../../src/model/index.ts';
import { hasSharedModels, put, sharedModels, temporaryFolder } from './files.ts';

const folder = temporaryFolder();
const checkpoint = join(sharedModels, 'stories260K.bin');
const tokenizer = join(sharedModels, 'tok512.bin');

test('a small file that speaks of a thousand layers costs little', async () => {
  const [dim, hidden, layers, heads, vocab, context] = [8, 8, 1024, 2, 300, 8];
  const header = Int32Array.of(dim, hidden, layers, heads, heads, vocab, context);
  const path = put(
    folder,
    'layers.bin',
    Buffer.concat([Buffer.from(header.buffer), new Uint8Array(99)]),
  );
  const memory = () => process.memoryUsage().heapUsed;
  const before = memory();
  await expect(openModel(path)).rejects.toThrow(/file size: found 127 bytes, expected 1\d{6}, /);
  expect(memory() - before).toBeLessThan(1 << 20);
});

describe.skipIf(!hasSharedModels)('stories260K ($MU_MODELS or ../shared/models)', () => {
  test('opens with the shape in its header', async () => {
    const model = await openModel(checkpoint, { tokenizer });
    expect(model.config).toMatchObject({
      dim: 64,
      hiddenDim: 172,
      layers: 5,
      heads: 8,
      kvHeads: 4,
    });
    expect(model.config).toMatchObject({
      vocabSize: 512,
      contextLength: 512,
      tiedEmbeddings: true,
    });
    expect(model.tokenizer).toMatchObject({ kind: 'spm', bos: 1, addBos: true, end: [1, 2] });
    expect(model.tokenizer.pieces[403]).toBe(' Once');
    await model.close();
  });

  test('tensors lie in the order of run.c', async () => {
    const model = await openModel(checkpoint, { tokenizer });
    const floats = new Float32Array(readFileSync(checkpoint).buffer.slice(28));
    const { dim, hiddenDim, vocabSize, layers } = {
      dim: 64,
      hiddenDim: 172,
      vocabSize: 512,
      layers: 5,
    };
    const afterEmbedding = vocabSize * dim;
    expect(await valuesOf(model.tensors.layers[0].attentionNorm as Tensor)).toEqual(
      floats.slice(afterEmbedding, afterEmbedding + dim),
    );
    // w1 of layer 1: behind the embedding, both norms, wq, wk, wv, wo of all layers and w1 of layer
    // 0
    const attention = layers * (2 * dim * dim + 2 * dim * 32);
    const gate = afterEmbedding + 2 * layers * dim + attention + dim * hiddenDim;
    expect(await valuesOf(model.tensors.layers[1].gate)).toEqual(
      floats.slice(gate, gate + dim * hiddenDim),
    );
    await model.close();
  });

  test('a negative vocabulary size means a separate output matrix', async () => {
    const original = readFileSync(checkpoint);
    const output = Buffer.alloc(512 * 64 * 4, 1);
    const untied = Buffer.concat([original, output]);
    untied.writeInt32LE(-512, 20);
    const model = await openModel(put(folder, 'untied.bin', untied), { tokenizer });
    expect(model.config.tiedEmbeddings).toBe(false);
    expect(await model.tensors.output!.read()).toEqual(new Uint8Array(output));
    await model.close();
  });

  test('what does not fit is refused', async () => {
    const original = readFileSync(checkpoint);
    const changed = (at: number, value: number) => {
      const copy = Buffer.from(original);
      copy.writeInt32LE(value, at);
      return openModel(put(folder, 'changed.bin', copy), { tokenizer });
    };
    await expect(openModel(checkpoint)).rejects.toThrow(/expected a tokenizer\.bin.*--tokenizer/);
    await expect(changed(0, 128)).rejects.toThrow(/file size: found 1056540 bytes, expected/);
    await expect(changed(0, -1)).rejects.toThrow(/header dim: found -1/);
    await expect(changed(12, 7)).rejects.toThrow(/header n_heads: found 7/);
    await expect(changed(16, 3)).rejects.toThrow(/header n_kv_heads: found 3/);
    await expect(changed(20, -2147483648)).rejects.toThrow(/header vocab_size/);
    const newer = Buffer.from(original);
    newer.write('24ka', 0, 'latin1');
    const path = put(folder, 'newer.bin', newer);
    await expect(openModel(path, { tokenizer })).rejects.toThrow(/version 1 or later/);
    const half = put(folder, 'half.bin', readFileSync(tokenizer).subarray(0, 3000));
    await expect(openModel(checkpoint, { tokenizer: half })).rejects.toThrow(
      /half\.bin: token \d+/,
    );
  });
});

async function valuesOf(tensor: { rows: number; columns: number; read(): Promise<Uint8Array> }) {
  const values = new Float32Array(tensor.rows * tensor.columns);
  dequantize('F32', await tensor.read(), values);
  return values;
}
