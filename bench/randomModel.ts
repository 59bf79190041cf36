/**
 * A model of a real shape with random weights: speed depends on shapes and types, not on what a
 * model knows, so it can be measured without downloads. llama.cpp reads it as well as we do.
 * Usage: npx tsx bench/randomModel.ts SHAPE TYPE OUT.gguf [--output-type TYPE] [--vocab N]
 *   [--context N] [--seed N]
 *   SHAPE: a name below, or DIM,HIDDEN,LAYERS,HEADS,KV_HEADS,VOCABULARY (tied) --output-type: of
 *   the matrix that gives the logits, the embedding's where they are tied (llama-quantize likes
 *   Q6_K there)
 */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { type TensorType, tensorTypes } from '../src/model/index.ts';
import { ggufHead, ggufPadding } from '../tests/model/ggufWriter.ts';
import { type RandomModel, type RandomTensor, randomGguf } from '../tests/model/randomGguf.ts';

type Shape = Omit<RandomModel, 'name' | 'type' | 'outputType' | 'seed'>;

const llama = { context: 2048, tokenizer: 'bpe', tied: true } as const;

const SHAPES: Record<string, Shape> = {
  // karpathy/tinyllamas, but for the context, 256 there: depth 512 could not be measured.
  stories15m: {
    ...llama,
    dim: 288,
    hidden: 768,
    layers: 6,
    heads: 6,
    kvHeads: 6,
    vocab: 32000,
    tokenizer: 'spm',
  },
  // HuggingFaceTB/SmolLM2-135M's config.json
  'smollm2-135m': {
    ...llama,
    dim: 576,
    hidden: 1536,
    layers: 30,
    heads: 9,
    kvHeads: 3,
    vocab: 49152,
    context: 8192,
    ropeBase: 100_000,
  },
  // meta-llama/Llama-3.2-1B's config.json
  'llama-3.2-1b': {
    ...llama,
    dim: 2048,
    hidden: 8192,
    layers: 16,
    heads: 32,
    kvHeads: 8,
    vocab: 128256,
    context: 131_072,
    ropeBase: 500_000,
  },
};

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'output-type': { type: 'string' },
    vocab: { type: 'string' },
    context: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
});
const [shapeName, typeName, path] = positionals;
if (path === undefined || positionals.length > 3) {
  throw new Error('expected SHAPE TYPE OUT.gguf, see the top of bench/randomModel.ts');
}
const shape = findShape(shapeName);
const type = findType(typeName);
const outputType = options['output-type'];
const model: RandomModel = {
  ...shape,
  name: `random ${shapeName} ${typeName}`,
  type,
  outputType: outputType === undefined ? type : findType(outputType),
  vocab: wholeNumber('--vocab', options.vocab) ?? shape.vocab,
  context: wholeNumber('--context', options.context) ?? shape.context,
  seed: wholeNumber('--seed', options.seed) ?? 1,
};
const { metadata, tensors } = randomGguf(model);
await pipeline(
  Readable.from(contents(ggufHead({ metadata, tensors }), tensors), { objectMode: false }),
  createWriteStream(path),
);
const bytes = tensors.reduce((sum, tensor) => sum + tensor.bytes.length, 0);
console.log(`${path}: ${tensors.length} tensors, ${(bytes / 1e6).toFixed(1)} MB`);

function* contents(head: Uint8Array, all: readonly RandomTensor[]): Generator<Uint8Array> {
  yield head;
  for (const tensor of all) {
    yield tensor.draw();
    const padding = ggufPadding(tensor.bytes.length);
    if (padding.length > 0) yield padding; // nothing at all would end the stream
  }
}

function findShape(name: string): Shape {
  if (Object.hasOwn(SHAPES, name)) return SHAPES[name];
  const numbers = name.split(',').map((number) => wholeNumber('SHAPE', number) ?? 0);
  if (numbers.length !== 6) {
    const names = Object.keys(SHAPES).join(', ');
    throw new Error(
      `SHAPE: expected ${names} or DIM,HIDDEN,LAYERS,HEADS,KV_HEADS,VOCABULARY, got ${name}`,
    );
  }
  const [dim, hidden, layers, heads, kvHeads, vocab] = numbers;
  return { ...llama, dim, hidden, layers, heads, kvHeads, vocab };
}

function findType(name: string): TensorType {
  const found = tensorTypes.find((known) => known === name);
  if (found) return found;
  throw new Error(`TYPE: expected ${tensorTypes.join(', ')}, got ${name}`);
}

function wholeNumber(what: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9][0-9]*$/.test(text)) return Number(text);
  throw new Error(`${what}: expected whole numbers from 1, got ${text}`);
}
