import { architectures, endShapes, layerShapes, type Shape, shapeOf } from '../architectures.ts';
import type { LayerTensors, Model, ModelConfig, ModelTensors, Tensor } from '../model.ts';
import { ModelError } from '../modelError.ts';
import type { ModelFile } from '../modelFile.ts';
import { oneLine } from '../printable.ts';
import { makeTensor } from '../tensorReader.ts';
import { readTokenizerBin } from './tokenizerBin.ts';

/** Names of the header's seven i32, in order (struct Config of llama2.c's run.c). */
const fields = ['dim', 'hidden_dim', 'n_layers', 'n_heads', 'n_kv_heads', 'vocab_size', 'seq_len'];
const HEADER_BYTES = 4 * fields.length;
const limits = [1 << 20, 1 << 20, 1024, 65536, 65536, 1 << 22, 1 << 24];

/**
 * A llama2.c checkpoint of version 0: seven i32, then f32 matrices in the order of run.c's
 * memory_map_weights.
 */
export async function openLlama2c(file: ModelFile, tokenizerPath?: string): Promise<Model> {
  const config = readConfig(file);
  const size = sizeOf(config); // before a thousand layers get an object for each tensor
  if (size !== file.bytes) {
    throw new ModelError({
      file: file.name,
      field: 'file size',
      found: `${file.bytes} bytes`,
      expected: `${size}, what the header's sizes add up to`,
      remedy: 'the file is damaged or no llama2.c checkpoint of version 0',
    });
  }
  if (tokenizerPath === undefined) {
    throw new ModelError({
      file: file.name,
      field: 'tokenizer',
      found: 'none: llama2.c checkpoints have no vocabulary of their own',
      expected: 'a tokenizer.bin',
      remedy: 'name it with --tokenizer FILE',
    });
  }
  const tensors = placeTensors(file, config);
  const tokenizer = await readTokenizerBin(tokenizerPath, config.vocabSize);
  for (const { attentionNorm, ffnNorm } of tensors.layers) {
    await attentionNorm?.read();
    await ffnNorm?.read();
  }
  await tensors.outputNorm.read();
  return {
    name: oneLine(file.name),
    path: file.path,
    format: 'llama2c',
    architecture: 'llama',
    options: architectures.llama.options,
    files: 1,
    fileBytes: file.bytes,
    config,
    tensors,
    tokenizer,
    close: () => file.close(),
  };
}

function readConfig(file: ModelFile): ModelConfig {
  const refuse = (field: string, found: string, expected: string) =>
    new ModelError({
      file: file.name,
      field,
      found,
      expected,
      remedy: 'only GGUF files and llama2.c checkpoints of version 0 are understood',
    });
  if (file.bytes < HEADER_BYTES) {
    throw refuse('file size', `${file.bytes} bytes`, `a header of ${HEADER_BYTES} bytes`);
  }
  const bytes = new Uint8Array(HEADER_BYTES);
  file.readNow(0, bytes);
  if (Buffer.from(bytes.subarray(0, 4)).toString('latin1') === '24ka') {
    throw refuse('magic', '"ak42", a llama2.c export of version 1 or later', 'version 0');
  }
  const header = new DataView(bytes.buffer);
  const values = fields.map((field, i) => {
    const found = header.getInt32(4 * i, true);
    const value = field === 'vocab_size' ? Math.abs(found) : found;
    if (value < 1 || value > limits[i]) {
      throw refuse(`header ${field}`, String(found), `1 to ${limits[i]}`);
    }
    return value;
  });
  const [dim, hiddenDim, layers, heads, kvHeads, vocabSize, contextLength] = values;
  if (dim % heads !== 0 || (dim / heads) % 2 !== 0) {
    throw refuse('header n_heads', String(heads), `heads of even width in dim ${dim}`);
  }
  if (heads % kvHeads !== 0) {
    throw refuse('header n_kv_heads', String(kvHeads), `a divisor of n_heads ${heads}`);
  }
  return {
    dim,
    hiddenDim,
    layers,
    heads,
    kvHeads,
    headDim: dim / heads,
    vocabSize,
    contextLength,
    normEpsilon: 1e-5, // run.c rmsnorm
    ropeBase: 10000, // run.c forward
    ropeDim: dim / heads,
    // a negative vocab_size says that the output matrix follows
    tiedEmbeddings: header.getInt32(20, true) > 0,
  };
}

/** What a layer has; of each, a file has those of all layers one after the other. */
const layerOrder = [
  ['attentionNorm', 'rms_att_weight'],
  ['query', 'wq'],
  ['key', 'wk'],
  ['value', 'wv'],
  ['attentionOutput', 'wo'],
  ['ffnNorm', 'rms_ffn_weight'],
  ['gate', 'w1'],
  ['down', 'w2'],
  ['up', 'w3'],
] as const satisfies (readonly [keyof LayerTensors, string])[];

/** Bytes of freq_cis_real and freq_cis_imag, unused: each seq_len × headDim / 2. */
function ropeBytes({ contextLength, headDim }: ModelConfig): number {
  return contextLength * headDim * 4;
}

/** Bytes of a checkpoint. */
function sizeOf(config: ModelConfig): number {
  const { layers, tiedEmbeddings } = config;
  const bytesOf = (shape: Shape) => {
    const { rows, columns } = shapeOf(shape, config);
    return 4 * rows * columns;
  };
  const { embedding, outputNorm, output } = endShapes;
  const ends = [embedding, outputNorm, ...(tiedEmbeddings ? [] : [output])];
  const each = layerOrder.map(([role]) => layers * bytesOf(layerShapes[role]));
  const all = [...ends.map(bytesOf), ...each];
  return HEADER_BYTES + ropeBytes(config) + all.reduce((sum, bytes) => sum + bytes, 0);
}

function placeTensors(file: ModelFile, config: ModelConfig): ModelTensors {
  let at = HEADER_BYTES;
  const take = (name: string, shape: Shape): Tensor => {
    const { rows, columns } = shapeOf(shape, config);
    const tensor = makeTensor(file, name, 'F32', rows, columns, at);
    at += tensor.bytes;
    return tensor;
  };
  const embedding = take('token_embedding_table', endShapes.embedding);
  const layers = Array.from({ length: config.layers }, () => ({}) as LayerTensors);
  for (const [role, name] of layerOrder) {
    for (const [i, layer] of layers.entries())
      layer[role] = take(`${name}.${i}`, layerShapes[role]);
  }
  const outputNorm = take('rms_final_weight', endShapes.outputNorm);
  at += ropeBytes(config);
  const tensors: ModelTensors = { embedding, outputNorm, layers };
  if (!config.tiedEmbeddings) tensors.output = take('wcls', endShapes.output);
  return tensors;
}
