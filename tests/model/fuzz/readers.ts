/**
 * Inputs for each reader of model files, made by their number: whatever the bytes, a model that
 * says what they say, or a ModelError of one line; soon, and in little memory.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  compileChat,
  compileTokenizer,
  type Model,
  ModelError,
  openModel,
} from '../../../src/model/index.ts';
import { writeGguf } from '../ggufWriter.ts';
import { partName, splitContent } from '../splitGguf.ts';
import { type TinyModel, tinyContent } from '../tinyGguf.ts';
import { compareGguf, same, sameList, tensorsOf } from './compare.ts';
import { createOriginal, mutate, type Original } from './mutate.ts';
import { readPlainGguf } from './plainGguf.ts';
import { createRandom } from './random.ts';

export type ReaderName = 'gguf' | 'split' | 'llama2c';

/** What came of an input. */
export interface Outcome {
  /** Field that it was refused for; absent: it was taken. */
  refused?: string;
  /** Of all files of the input. */
  bytes: number;
  /** Of a processor. */
  milliseconds: number;
  /** Bytes that were allocated while it was read, those that were free again among them. */
  allocated: number;
}

/** Milliseconds of a processor. */
export const LONGEST = 2_000;
/** What a reader may allocate: 1.5 times the file, and what a small one takes in any case. */
export const MOST_MEMORY = { timesFile: 1.5, constant: 4 << 20 };

/** Of so many inputs that are taken one goes further: its tokenizer and template are compiled. */
const COMPILED = 100;

/** Makes input `index` of a reader in the folder, and opens it. Throws what is wrong with that. */
export type Fuzzer = (index: number) => Promise<Outcome>;

export function createFuzzer(name: ReaderName, folder: string): Fuzzer {
  return { gguf: fuzzGguf, split: fuzzSplit, llama2c: fuzzLlama2c }[name](folder);
}

const SMALL = { dim: 32, hidden: 32, layers: 1, heads: 2, kvHeads: 1, vocab: 300 } as const;

const GGUF_MODELS: TinyModel[] = [
  { ...SMALL, type: 'Q8_0', tokenizer: 'bpe' },
  { ...SMALL, type: 'Q4_0', tokenizer: 'spm', tied: false },
  { ...SMALL, types: ['F32', 'F16', 'BF16', 'Q4_1', 'Q5_0', 'Q5_1'], layers: 2, tokenizer: 'bpe' },
  { ...SMALL, types: ['Q4_K', 'Q5_K', 'Q6_K'], dim: 256, hidden: 256, tokenizer: 'spm' },
];

function originalOf(bytes: Buffer): Original {
  const { fields, data } = readPlainGguf(bytes);
  return createOriginal(bytes, fields, data);
}

function fuzzGguf(folder: string): Fuzzer {
  const originals = GGUF_MODELS.map((shape) =>
    originalOf(Buffer.from(writeGguf(tinyContent(shape)))),
  );
  const path = join(folder, 'model.gguf');
  return async (index) => {
    const random = createRandom(index);
    const bytes = mutate(originals[index % originals.length], random);
    writeFileSync(path, bytes);
    return openOne(path, index, [bytes], (model) => compareGguf(model, [readPlainGguf(bytes)]));
  };
}

function fuzzSplit(folder: string): Fuzzer {
  const sets = (
    [
      { ...GGUF_MODELS[0], layers: 2 },
      { ...GGUF_MODELS[0], layers: 2, seed: 2 },
      { ...GGUF_MODELS[0], layers: 2, type: 'Q4_0' },
      { ...GGUF_MODELS[1], layers: 2 },
    ] satisfies TinyModel[]
  ).flatMap((shape) =>
    [false, true].map((withoutFirst) =>
      splitContent(tinyContent(shape), 'm', 3, withoutFirst).map(({ content }) =>
        originalOf(Buffer.from(writeGguf(content))),
      ),
    ),
  );
  const paths = [1, 2, 3].map((part) => join(folder, partName('m', part, 3)));
  return async (index) => {
    const random = createRandom(index);
    const set = random.pick(sets);
    const parts: (Buffer | undefined)[] = set.map(({ bytes }) => bytes);
    const part = random.below(3);
    const kind = random.below(12);
    if (kind === 0) parts[part] = random.pick(random.pick(sets)).bytes;
    else if (kind === 1) parts[part] = undefined;
    else if (kind === 2) parts[part] = parts[random.below(3)];
    else parts[part] = mutate(set[part], random);
    for (const [i, bytes] of parts.entries()) {
      if (bytes === undefined) rmSync(paths[i], { force: true });
      else writeFileSync(paths[i], bytes);
    }
    const there = parts.filter((bytes) => bytes !== undefined);
    return openOne(paths[0], index, there, (model) =>
      compareGguf(model, there.slice(0, model.files).map(readPlainGguf)),
    );
  };
}

const CHECKPOINT = [
  'dim',
  'hiddenDim',
  'layers',
  'heads',
  'kvHeads',
  'vocabSize',
  'contextLength',
] as const;

function makeCheckpoint(isTied: boolean): Original {
  const [dim, hidden, layers, heads, kvHeads, vocab, context] = [16, 24, 2, 2, 1, 300, 8];
  const kvDim = (dim / heads) * kvHeads;
  const perLayer = 2 * dim + 2 * dim * dim + 2 * kvDim * dim + 3 * hidden * dim;
  const values = vocab * dim * (isTied ? 1 : 2) + layers * perLayer + dim + context * (dim / heads);
  const bytes = Buffer.alloc(28 + 4 * values);
  const header = [dim, hidden, layers, heads, kvHeads, isTied ? vocab : -vocab, context];
  for (const [i, value] of header.entries()) bytes.writeInt32LE(value, 4 * i);
  for (let at = 28, i = 0; at < bytes.length; at += 4, i++) bytes.writeFloatLE(Math.sin(i), at);
  const fields = header.map((_, i) => ({ at: 4 * i, bytes: 4, kind: 'number' as const }));
  return createOriginal(bytes, fields, 28);
}

function makeTokenizerBin(): Original {
  const { metadata } = tinyContent({ ...SMALL, tokenizer: 'spm' });
  const pieces = metadata['tokenizer.ggml.tokens'].value as string[];
  const scores = metadata['tokenizer.ggml.scores'].value as number[];
  const parts: Buffer[] = [Buffer.from([40, 0, 0, 0])];
  const fields: Original['fields'][number][] = [{ at: 0, bytes: 4, kind: 'number' }];
  let at = 4;
  for (const [i, piece] of pieces.entries()) {
    const text = Buffer.from(piece.replaceAll('▁', ' '));
    const head = Buffer.alloc(8);
    head.writeFloatLE(scores[i], 0);
    head.writeInt32LE(text.length, 4);
    fields.push({ at, bytes: 4, kind: 'float' }, { at: at + 4, bytes: 4, kind: 'number' });
    fields.push({ at: at + 8, bytes: text.length, kind: 'text' });
    parts.push(head, text);
    at += 8 + text.length;
  }
  return createOriginal(Buffer.concat(parts), fields, at);
}

function fuzzLlama2c(folder: string): Fuzzer {
  const checkpoints = [makeCheckpoint(true), makeCheckpoint(false)];
  const vocabulary = makeTokenizerBin();
  const [path, tokenizer] = ['model.bin', 'tokenizer.bin'].map((name) => join(folder, name));
  return async (index) => {
    const random = createRandom(index);
    const original = random.pick(checkpoints);
    const which = random.below(4); // mostly the tokenizer: the checkpoint has seven fields
    const model = which === 0 || which === 1 ? mutate(original, random) : original.bytes;
    const pieces = which === 0 ? vocabulary.bytes : mutate(vocabulary, random);
    writeFileSync(path, model);
    writeFileSync(tokenizer, pieces);
    const compare = (opened: Model) => compareLlama2c(opened, model, pieces);
    return openOne(path, index, [model, pieces], compare, tokenizer);
  };
}

async function compareLlama2c(model: Model, file: Buffer, vocabulary: Buffer): Promise<void> {
  for (const [i, field] of CHECKPOINT.entries()) {
    const value = file.readInt32LE(4 * i);
    same(field, model.config[field], field === 'vocabSize' ? Math.abs(value) : value);
  }
  const [pieces, scores]: [string[], number[]] = [[], []];
  let at = 4;
  while (at < vocabulary.length) {
    const length = vocabulary.readInt32LE(at + 4);
    scores.push(vocabulary.readFloatLE(at));
    pieces.push(vocabulary.toString('latin1', at + 8, at + 8 + length));
    at += 8 + length;
  }
  same('end of the vocabulary', at, vocabulary.length);
  sameList('pieces', model.tokenizer.pieces, pieces);
  sameList('scores', [...(model.tokenizer.scores ?? [])], scores);
  // all weights, in the order of run.c's memory_map_weights; between them RoPE's tables
  const { layers, ...ends } = model.tensors;
  const order = [
    'attentionNorm',
    'query',
    'key',
    'value',
    'attentionOutput',
    'ffnNorm',
    'gate',
    'down',
    'up',
  ] as const;
  const all = [
    ends.embedding,
    ...order.flatMap((role) => layers.map((layer) => layer[role])),
    ends.outputNorm,
  ];
  let place = 28;
  for (const tensor of all) {
    if (tensor === undefined) throw new Error('a tensor is missing');
    const bytes = file.subarray(place, place + tensor.bytes);
    if (Buffer.compare(await tensor.read(), bytes) !== 0)
      throw new Error(`${tensor.name}: other bytes`);
    place += tensor.bytes;
  }
  const output = ends.output === undefined ? Buffer.alloc(0) : await ends.output.read();
  same('output', Buffer.compare(output, file.subarray(file.length - output.length)), 0);
  same('tensors', tensorsOf(model).length, all.length + (ends.output === undefined ? 0 : 1));
}

/** Opens what lies at the path, and measures that; compares it if it is taken. */
async function openOne(
  path: string,
  index: number,
  files: readonly Buffer[],
  compare: (model: Model) => Promise<void>,
  tokenizer?: string,
): Promise<Outcome> {
  const bytes = files.reduce((sum, file) => sum + file.length, 0);
  const memory = usedMemory();
  const before = process.cpuUsage();
  let model: Model | undefined;
  let refused: string | undefined;
  try {
    model = await openModel(path, { tokenizer });
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    same('lines of the message', /^[^\n]{1,2000}$/.test(error.message), true);
    refused = fieldOf(error);
  }
  const { user, system } = process.cpuUsage(before);
  const outcome = {
    refused,
    bytes,
    milliseconds: (user + system) / 1000,
    allocated: Math.max(0, usedMemory() - memory),
  };
  if (outcome.milliseconds > LONGEST) throw new Error(`took ${outcome.milliseconds} ms`);
  const most = MOST_MEMORY.timesFile * bytes + MOST_MEMORY.constant;
  if (outcome.allocated > most) {
    throw new Error(`allocated ${outcome.allocated} bytes for a file of ${bytes}`);
  }
  if (model !== undefined) await goOn(model, index, compare);
  return outcome;
}

async function goOn(model: Model, index: number, compare: (model: Model) => Promise<void>) {
  try {
    if (index % COMPILED === 0) {
      compileTokenizer(model);
      compileChat(model);
    }
    await compare(model);
  } catch (error) {
    // weights are checked when they are read
    if (!(error instanceof ModelError)) throw error;
  } finally {
    await model.close();
  }
}

function usedMemory(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Fields of a kind are one: numbers and quoted names are left out. */
function fieldOf({ problems: [{ field }] }: ModelError): string {
  return field
    .replace(/"(?:[^"\\]|\\.)*"?/g, '…')
    .replace(/\d+/g, 'N')
    .replace(/^(tensor) (?!N)\S+/, '$1 …')
    .replace(/^[a-z0-9_]+(?=\.)(?<!general|tokenizer|split)\S*/i, 'a key of the family')
    .slice(0, 60);
}
