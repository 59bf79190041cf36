import {
  architectures,
  endShapes,
  type Family,
  type FusedRole,
  layerShapeOf,
  layerShapes,
  type RopeKey,
  type Shape,
  type SizeKey,
  shapeOf,
} from '../architectures.ts';
import { reasonAgainst } from '../chat.ts';
import { dequantize, tensorTypes } from '../formats.ts';
import type {
  LayerTensors,
  Model,
  ModelConfig,
  ModelTensors,
  Tensor,
  Tokenizer,
} from '../model.ts';
import { ModelError, type ModelProblem, quote } from '../modelError.ts';
import type { ModelFile } from '../modelFile.ts';
import { oneLine } from '../printable.ts';
import { pairNeighbours } from '../ropePairs.ts';
import { makeTensor, rowsOf } from '../tensorReader.ts';
import { readGgufHeader, type TensorInfo } from './header.ts';
import { checkForeignKeys } from './keys.ts';
import { readParts } from './layers.ts';
import type { Metadata } from './metadata.ts';
import {
  LEAST_DIVISOR,
  LEAST_EXPECTED,
  readRopeBase,
  readRopeScaling,
  type TakeDivisors,
} from './ropeScaling.ts';
import { openParts, type Parts } from './split.ts';
import { readVocabulary } from './vocabulary.ts';

const MAX_WIDTH = 1 << 20;
const MAX_HEADS = 65536;
const MAX_LAYERS = 1024;

/** A model of any family in `architectures`, in one GGUF file or in several. */
export async function openGguf(file: ModelFile): Promise<Model> {
  const header = readGgufHeader(file);
  const parts = await openParts(file, header);
  try {
    return await readModel(file, header.metadata, parts);
  } catch (error) {
    for (const part of parts.files.slice(1)) await part.close();
    throw error;
  }
}

async function readModel(file: ModelFile, metadata: Metadata, parts: Parts): Promise<Model> {
  const { architecture, tokenizer } = readKinds(metadata, parts);
  const family = architectures[architecture];
  const prefix = `${architecture}.`;
  const key = (name: SizeKey) => prefix + family.keys.read[name];
  const isTied = !parts.tensors.has(family.tensors.output);
  const sizes = readConfig(metadata, key, tokenizer.pieces.length, isTied);
  const left = new Map(parts.tensors);
  const scaled = await scaleRope(metadata, left, family, prefix, sizes);
  const config = { ...scaled, ...readParts(metadata, family, prefix, scaled) };
  const tensors = collectTensors(metadata, left, family, config);
  // few, and they enter every value: checked at once
  for (const vector of vectorsOf(tensors)) await vector.read();
  return {
    name: oneLine(metadata.text('general.name') ?? file.name),
    path: file.path,
    format: 'gguf',
    architecture,
    options: family.options,
    files: parts.files.length,
    fileBytes: parts.files.reduce((sum, { bytes }) => sum + bytes, 0),
    config,
    tensors,
    tokenizer,
    chatTemplate: metadata.text('tokenizer.chat_template'),
    close: async () => {
      for (const part of parts.files) await part.close();
    },
  };
}

/**
 * What decides whether a model can be had at all. Where it cannot, all reasons are said at once,
 * the architecture first: who takes another quantization should not learn of it then.
 */
function readKinds(metadata: Metadata, { refusedTypes }: Parts) {
  const problems: ModelProblem[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const architecture = attempt(() => readArchitecture(metadata));
  const tokenizer = attempt(() => readVocabulary(metadata));
  attempt(() => checkTypes(metadata, refusedTypes));
  if (problems.length === 0 && architecture && tokenizer) return { architecture, tokenizer };
  attempt(() => checkTemplate(metadata, tokenizer));
  throw new ModelError(problems);
}

function checkTypes(metadata: Metadata, refused: string[]): void {
  if (refused.length === 0) return;
  const counts = [...new Set(refused)].map(
    (type) => `${refused.filter((other) => other === type).length} of ${type}`,
  );
  throw metadata.error(
    'tensor types',
    counts.join(', '),
    tensorTypes.join(', '),
    'take another quantization of the model, such as Q4_K_M, Q4_0 or Q8_0',
  );
}

/** A model without a usable template can be had, but not chatted with. */
function checkTemplate(metadata: Metadata, tokenizer: Tokenizer | undefined): void {
  const chatTemplate = metadata.text('tokenizer.chat_template');
  if (chatTemplate === undefined) return;
  const reason = reasonAgainst(chatTemplate, tokenizer);
  if (reason === undefined) return;
  throw metadata.error('tokenizer.chat_template', reason, 'one that can be rendered');
}

/** Its name, with the keys that it has checked. */
function readArchitecture(metadata: Metadata): string {
  const name = metadata.text('general.architecture');
  if (name !== undefined && Object.hasOwn(architectures, name)) {
    checkForeignKeys(metadata, `${name}.`, architectures[name].keys);
    return name;
  }
  throw metadata.error(
    'general.architecture',
    name === undefined ? 'nothing' : quote(name),
    Object.keys(architectures).map(quote).join(', '),
    'take a model of one of these, such as Llama 3.2, Qwen3 or Gemma 3; README.md has a list',
  );
}

/** key: the name that the family has for a size. */
function readConfig(
  metadata: Metadata,
  key: (name: SizeKey) => string,
  pieces: number,
  tiedEmbeddings: boolean,
): ModelConfig {
  const width = { min: 1, max: MAX_WIDTH };
  const dim = metadata.integer(key('dim'), width);
  const heads = metadata.integer(key('heads'), { min: 1, max: MAX_HEADS });
  const kvHeads = metadata.integer(key('kvHeads'), { min: 1, max: MAX_HEADS, fallback: heads });
  if (heads % kvHeads !== 0) {
    throw metadata.error(key('kvHeads'), String(kvHeads), `a divisor of the ${heads} heads`);
  }
  const headDim = readHeadDim(metadata, key, dim, heads);
  const ropeDim = metadata.integer(key('ropeDim'), { min: 2, max: headDim, fallback: headDim });
  if (ropeDim % 2 !== 0) throw metadata.error(key('ropeDim'), String(ropeDim), 'an even number');
  const vocabSize = metadata.integer(key('vocabSize'), { min: 1, max: 1 << 22, fallback: pieces });
  if (vocabSize !== pieces) {
    throw metadata.error(
      key('vocabSize'),
      String(vocabSize),
      `${pieces}, the length of tokenizer.ggml.tokens`,
    );
  }
  return {
    dim,
    hiddenDim: metadata.integer(key('hiddenDim'), width),
    layers: metadata.integer(key('layers'), { min: 1, max: MAX_LAYERS }),
    heads,
    kvHeads,
    headDim,
    vocabSize,
    contextLength: metadata.integer(key('contextLength'), { min: 1, max: 2 ** 31 - 1 }),
    normEpsilon: metadata.float(key('normEpsilon'), { min: 1e-12, max: 1 }),
    ropeBase: metadata.float(key('ropeBase'), { min: 1, max: 1e12, fallback: 10000 }),
    ropeDim,
    tiedEmbeddings,
  };
}

function readHeadDim(
  metadata: Metadata,
  key: (name: SizeKey) => string,
  dim: number,
  heads: number,
): number {
  const isGiven = metadata.has(key('keyLength'));
  if (!isGiven && dim % heads !== 0) {
    throw metadata.error(key('heads'), String(heads), `a divisor of ${key('dim')} ${dim}`);
  }
  const rule = { min: 2, max: 65536 };
  const keyLength = isGiven ? metadata.integer(key('keyLength'), rule) : Math.floor(dim / heads);
  const valueLength = metadata.integer(key('valueLength'), { ...rule, fallback: keyLength });
  if (keyLength !== valueLength || keyLength < 2 || keyLength % 2 !== 0) {
    throw metadata.error(
      key('keyLength'),
      `${keyLength} for keys and ${valueLength} for values`,
      'the same even length for both',
    );
  }
  return keyLength;
}

/** The configuration with what the file says about changed RoPE. */
async function scaleRope(
  metadata: Metadata,
  left: Map<string, TensorInfo>,
  family: Family,
  prefix: string,
  config: ModelConfig,
): Promise<ModelConfig> {
  const { rope } = family.keys;
  const key = (name: RopeKey) => rope[name] && prefix + rope[name];
  const takeDivisors: TakeDivisors = async (context) => {
    const name = family.ropeDivisors[context];
    if (name === undefined || !left.has(name)) return undefined;
    const tensor = takeTensor(metadata, left, name, { rows: 1, columns: config.ropeDim / 2 });
    const values = new Float32Array(tensor.columns);
    dequantize('F32', await tensor.read(), values);
    const wrong = values.findIndex((value) => !(value >= LEAST_DIVISOR));
    if (wrong < 0) return [...values];
    throw metadata.error(`tensor ${name}[${wrong}]`, String(values[wrong]), LEAST_EXPECTED);
  };
  const ropeBase = readRopeBase(metadata, key, config);
  const scaling = await readRopeScaling(metadata, key, config.contextLength, takeDivisors);
  return { ...config, ropeBase, ...(scaling && { ropeScaling: scaling }) };
}

/**
 * Takes a tensor out of those that are left, checked to have the shape; a vector (one row) is F32.
 */
function takeTensor(
  metadata: Metadata,
  left: Map<string, TensorInfo>,
  name: string,
  { rows, columns }: { rows: number; columns: number },
): Tensor {
  const info = left.get(name);
  const field = `tensor ${name}`;
  if (info === undefined) throw metadata.error(field, 'nothing', `${rows} × ${columns} values`);
  left.delete(name);
  const [foundColumns, foundRows = 1, ...rest] = info.shape;
  const flat = rest.every((size) => size === 1);
  if (foundColumns !== columns || foundRows !== rows || !flat) {
    throw metadata.error(
      `${field} shape`,
      `[${info.shape.join(', ')}]`,
      `[${columns}, ${rows}] from the configuration`,
    );
  }
  if (rows === 1 && info.type !== 'F32') {
    throw metadata.error(`${field} type`, info.type, 'F32');
  }
  return makeTensor(info.file, name, info.type, rows, columns, info.offset);
}

/**
 * Every tensor that the family names, with the shape that the configuration gives it; none is left
 * then.
 */
function collectTensors(
  metadata: Metadata,
  left: Map<string, TensorInfo>,
  family: Family,
  config: ModelConfig,
): ModelTensors {
  const take = (name: string, shape: Shape): Tensor =>
    takeTensor(metadata, left, name, shapeOf(shape, config));
  const takeLayer = (_: unknown, index: number): LayerTensors => {
    const roles = Object.entries(family.layer) as [keyof LayerTensors, string][];
    const alone = roles.map(
      ([role, name]) =>
        [role, take(`blk.${index}.${name}`, layerShapeOf(role, family.options))] as const,
    );
    const fused = Object.entries(family.fused ?? {}).flatMap(([name, parts]) =>
      takeFused(metadata, left, `blk.${index}.${name}`, parts, config),
    );
    const found = [...alone, ...fused].map(
      ([role, tensor]) => [role, inOrder(role, tensor, family, config)] as const,
    );
    return Object.fromEntries(found) as unknown as LayerTensors;
  };
  const { embedding, outputNorm, output } = family.tensors;
  const all: ModelTensors = {
    embedding: take(embedding, endShapes.embedding),
    outputNorm: take(outputNorm, endShapes.outputNorm),
    layers: Array.from({ length: config.layers }, takeLayer),
  };
  if (!config.tiedEmbeddings) all.output = take(output, endShapes.output);
  for (const name of left.keys()) {
    throw metadata.error(
      `tensor ${quote(name)}`,
      'a tensor that this architecture does not use',
      `the tensors of a ${family.title} model`,
      `ignoring it would change the results; take a plain ${family.title} model`,
    );
  }
  return all;
}

/** Several matrices that lie in the file as one: each as if it lay there alone. */
function takeFused(
  metadata: Metadata,
  left: Map<string, TensorInfo>,
  name: string,
  roles: readonly FusedRole[],
  config: ModelConfig,
): (readonly [FusedRole, Tensor])[] {
  const rows = roles.map((role) => shapeOf(layerShapes[role], config).rows);
  const columns = config.dim; // of what goes into all of them
  const all = rows.reduce((sum, count) => sum + count, 0);
  const whole = takeTensor(metadata, left, name, { rows: all, columns });
  let first = 0;
  return roles.map((role, i) => {
    const part = rowsOf(whole, first, rows[i], role);
    first += rows[i];
    return [role, part] as const;
  });
}

/** What rotates: its rows in the order that the engine has. */
const rotated: ReadonlySet<keyof LayerTensors> = new Set([
  ...(['query', 'queryBias', 'queryNorm', 'key', 'keyBias', 'keyNorm'] as const),
]);

function inOrder(
  role: keyof LayerTensors,
  tensor: Tensor,
  { options }: Family,
  { headDim, ropeDim }: ModelConfig,
): Tensor {
  const isTurned = options.ropePairs === 'halves' && rotated.has(role);
  return isTurned ? pairNeighbours(tensor, headDim, ropeDim) : tensor;
}

function vectorsOf(tensors: ModelTensors): Tensor[] {
  const all = [tensors.outputNorm, ...tensors.layers.flatMap((layer) => Object.values(layer))];
  return (all as Tensor[]).filter(({ rows }) => rows === 1);
}
