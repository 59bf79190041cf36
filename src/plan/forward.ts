/**
 * The forward pass as data: what guest/engine/transformer.ts computes, step by step. All cores do
 * a step together, each its share; between two steps of a layer they wait for each other at a
 * barrier.
 *
 * The operations are the definition. What a step reads, writes, loads and costs follows from
 * them. Who works from this plan: sizes of the guest (src/pack/constants.ts), bytes per token
 * (src/measure), `mu inspect`, and the F64 reference of the tests, which executes it. The guest's
 * transformer is written by hand; tests/plan/transformer.test.ts reads it and holds it to the
 * plan.
 */
import {
  type Model,
  type ModelConfig,
  type TensorType,
  tiledBytes,
  weightTypes,
} from '../model/index.ts';
import {
  type Buffer,
  type BufferName,
  type BufferSizes,
  cacheBytesOf,
  listBuffers,
  sizesOf,
} from './buffers.ts';
import type { CacheType, Role } from './sizes.ts';

/** A matrix: of a layer, or one of the two ends. */
export type MatrixRole = Role | 'embedding' | 'output';
export type NormRole =
  | ('attentionNorm' | 'attentionPostNorm' | 'ffnNorm' | 'ffnPostNorm' | 'outputNorm')
  | ('queryNorm' | 'keyNorm');
export type BiasRole = 'queryBias' | 'keyBias' | 'valueBias';

/** What is done with buffers, in words of the papers. Each is for every token of a micro-batch. */
export type Operation =
  /** to ← the token's row of the matrix */
  | { op: 'embed'; matrix: 'embedding'; to: BufferName }
  /** to ← weight · from / rms(from). Zhang & Sennrich 2019, eq. 4 */
  | { op: 'rmsNorm'; from: BufferName; weight: NormRole; to: BufferName }
  /** The same for each head of `to` by itself. Henry et al. 2020, "Query-Key Normalization" */
  | { op: 'headNorm'; weight: NormRole; to: BufferName }
  /** to ← factor · to */
  | { op: 'scale'; factor: number; to: BufferName }
  /** to ← to · (1 + growth · ln(1 + ⌊position / length⌋)) */
  | { op: 'temper'; growth: number; length: number; to: BufferName }
  /** to ← cap · tanh(to / cap). Gemma Team 2024, "Gemma 2" §2 */
  | { op: 'softCap'; cap: number; to: BufferName }
  /** to ← from in 8 bits, a scale for each group of 16 */
  | { op: 'quantize'; from: BufferName; to: BufferName }
  /** to ← matrix · from */
  | { op: 'matmul'; matrix: MatrixRole; from: BufferName; to: BufferName }
  /** to ← to + bias */
  | { op: 'addBias'; bias: BiasRole; to: BufferName }
  /** rotates pairs of each head by the position's angles. Su et al. 2021, eq. 34 */
  | { op: 'rope'; table: RopeTable; to: BufferName }
  /** rounded to halves, to the token's position of the cache */
  | { op: 'storeKv'; keys: BufferName; values: BufferName; to: 'cache' }
  /**
   * to ← softmax(queries · K · scale) · V over the last `window` positions, 0: all. Vaswani et al.
   * 2017, eq. 1; Ainslie et al. 2023. Scores are capped as logits are; 0: not.
   */
  | {
      op: 'attention';
      queries: BufferName;
      from: 'cache';
      to: BufferName;
      scale: number;
      window: number;
      cap: number;
    }
  /** to ← to + from: a residual connection */
  | { op: 'add'; from: BufferName; to: BufferName }
  /** gate ← activation(gate) · up. Shazeer 2020, eq. 6 */
  | { op: 'swiglu' | 'geglu'; gate: BufferName; up: BufferName };

/** The model's frequencies, or those of its layers with a window (ropeTables). */
export type RopeTable = 0 | 1;

export interface PlannedMatrix {
  role: MatrixRole;
  type: TensorType;
  rows: number;
  columns: number;
  /** In the pack, in whole tiles. */
  bytes: number;
}

/** What all cores do between two barriers. */
export interface Step {
  /** The function of guest/engine/transformer.ts. */
  name: string;
  operations: Operation[];
  /** Read once for a whole micro-batch. */
  matrices: PlannedMatrix[];
  /** Norm weights and biases, in f32. */
  vectors: { role: NormRole | BiasRole; values: number }[];
  reads: BufferName[];
  writes: BufferName[];
  /** Of matrices and vectors. */
  weightBytes: number;
  /** Multiplications and additions of a token's products with matrices. */
  flops: number;
  /** The same of attention, for each position that a token sees. */
  flopsPerPosition: number;
}

/** Layers that do the same, with matrices of the same types. */
export interface LayerGroup {
  layers: number[];
  steps: Step[];
}

export interface ForwardPlan {
  /** Positions that a conversation may have. */
  context: number;
  sizes: BufferSizes;
  buffers: Buffer[];
  /** Before the layers, by the first core alone. */
  embedding: Step;
  groups: LayerGroup[];
  /** For a token whose logits are asked for. */
  output: Step;
  /** Keys and values of one position, in all layers. */
  cacheBytesPerPosition: number;
}

/** What a plan is made of: nothing is read from the weights. */
export type PlannedModel = Pick<Model, 'config' | 'tensors' | 'options'>;

/** context: positions. */
export function planForward(model: PlannedModel, context: number): ForwardPlan {
  const sizes = sizesOf(model.config, context);
  const groups = new Map<string, LayerGroup>();
  for (let layer = 0; layer < model.config.layers; layer++) {
    const steps = layerSteps(model, layer);
    const key = JSON.stringify(steps);
    const group = groups.get(key);
    if (group) group.layers.push(layer);
    else groups.set(key, { layers: [layer], steps });
  }
  return {
    context,
    sizes,
    buffers: listBuffers(sizes),
    embedding: step(model, 0, 'embed', [
      { op: 'embed', matrix: 'embedding', to: 'x' },
      ...scaled(model.config.scales?.embedding, 'x'),
    ]),
    groups: [...groups.values()],
    output: step(model, 0, 'logitsJob', [
      { op: 'rmsNorm', from: 'x', weight: 'outputNorm', to: 'ownNormed' },
      ...products(model, 0, 'ownNormed', 'ownLines', [['output', 'logits']]),
      ...scaled(model.config.scales?.logits, 'logits'),
      ...capped(model.config.scales?.logitCap, 'logits'),
    ]),
    cacheBytesPerPosition: cacheBytesOf(sizes),
  };
}

/** The same with keys and values cached so. */
export function withCache(plan: ForwardPlan, cacheType: CacheType): ForwardPlan {
  const sizes = { ...plan.sizes, cacheType };
  const cacheBytesPerPosition = cacheBytesOf(sizes);
  return { ...plan, sizes, buffers: listBuffers(sizes), cacheBytesPerPosition };
}

/**
 * The steps of a layer: five, and one more for each place where a norm needs what all cores have
 * computed. What a family has beside Llama's is an operation here.
 */
function layerSteps(model: PlannedModel, layer: number): Step[] {
  const { config, options } = model;
  const { scales = {} } = config;
  const turns: Operation[] = [
    ...(options.queryKeyNorm === 'headAfterRope'
      ? [...ropes(model, layer), ...queryKeyNorms(model)]
      : [...queryKeyNorms(model), ...ropes(model, layer)]),
    ...(scales.temperature
      ? [{ op: 'temper', ...scales.temperature, to: 'queries' } as const]
      : []),
    { op: 'storeKv', keys: 'keys', values: 'values', to: 'cache' },
  ];
  const needsWholeHeads = options.queryKeyNorm !== 'none';
  const attention: Operation = {
    ...{ op: 'attention', queries: 'queries', from: 'cache', to: 'attended' },
    scale: scales.attention ?? 1 / Math.sqrt(config.headDim),
    window: config.windows?.[layer] ?? 0,
    cap: scales.scoreCap ?? 0,
  };
  return [
    step(model, layer, 'projectQkv', [
      ...normed(model, 'attentionNorm'),
      ...products(model, layer, beforeProducts(model), 'normedLines', [
        ['query', 'queries'],
        ['key', 'keys'],
        ['value', 'values'],
      ]),
      ...biases(model, layer),
      ...(needsWholeHeads ? [] : turns),
    ]),
    ...(needsWholeHeads ? [step(model, layer, 'turnQkv', turns)] : []),
    step(model, layer, 'attention', [
      attention,
      ...quantized(model, layer, 'attended', 'innerLines', ['attentionOutput']),
    ]),
    ...residual(model, layer, 'attentionOutput', 'attentionPostNorm', [
      product(model, layer, 'attended', 'innerLines', 'attentionOutput', 'delta'),
    ]),
    step(model, layer, 'ffnGateUp', [
      ...normed(model, 'ffnNorm'),
      ...products(model, layer, beforeProducts(model), 'normedLines', [
        ['gate', 'gates'],
        ['up', 'ups'],
      ]),
      { op: options.activation === 'gelu' ? 'geglu' : 'swiglu', gate: 'gates', up: 'ups' },
      ...quantized(model, layer, 'gates', 'innerLines', ['down']),
    ]),
    ...residual(model, layer, 'ffnDown', 'ffnPostNorm', [
      product(model, layer, 'gates', 'innerLines', 'down', 'delta'),
    ]),
  ];
}

/** x ← x + delta; where delta is normed first, that takes a step of its own. */
function residual(
  model: PlannedModel,
  layer: number,
  name: 'attentionOutput' | 'ffnDown',
  weight: NormRole,
  products: Operation[],
): Step[] {
  const adds: Operation[] = [
    ...scaled(model.config.scales?.residual, 'delta'),
    { op: 'add', from: 'delta', to: 'x' },
  ];
  if (model.options.normPlaces === 'before') {
    return [step(model, layer, name, [...products, ...adds])];
  }
  return [
    step(model, layer, name, products),
    step(model, layer, 'addNormed', [
      { op: 'rmsNorm', from: 'delta', weight, to: 'delta' },
      ...adds,
    ]),
  ];
}

/** The norm that attention or the feed-forward part begins with, if the family has it. */
function normed({ options }: PlannedModel, weight: NormRole): Operation[] {
  if (options.normPlaces === 'after') return [];
  return [{ op: 'rmsNorm', from: 'x', weight, to: 'normed' }];
}

function beforeProducts({ options }: PlannedModel): BufferName {
  return options.normPlaces === 'after' ? 'x' : 'normed';
}

function biases({ tensors }: PlannedModel, layer: number): Operation[] {
  const { queryBias, keyBias, valueBias } = tensors.layers[layer];
  const given = [queryBias, keyBias, valueBias].filter((bias) => bias !== undefined).length;
  if (given === 0) return [];
  if (given !== 3) {
    throw new Error(
      `layer ${layer}: expected biases of queries, keys and values or none, found ${given}`,
    );
  }
  return [
    { op: 'addBias', bias: 'queryBias', to: 'queries' },
    { op: 'addBias', bias: 'keyBias', to: 'keys' },
    { op: 'addBias', bias: 'valueBias', to: 'values' },
  ];
}

function queryKeyNorms({ options }: PlannedModel): Operation[] {
  if (options.queryKeyNorm === 'none') return [];
  if (options.queryKeyNorm === 'row') {
    return [
      { op: 'rmsNorm', from: 'queries', weight: 'queryNorm', to: 'queries' },
      { op: 'rmsNorm', from: 'keys', weight: 'keyNorm', to: 'keys' },
    ];
  }
  return [
    { op: 'headNorm', weight: 'queryNorm', to: 'queries' },
    { op: 'headNorm', weight: 'keyNorm', to: 'keys' },
  ];
}

function ropes({ config }: PlannedModel, layer: number): Operation[] {
  const table = ropeTableOf(config, layer);
  if (table === undefined) return [];
  return [
    { op: 'rope', table, to: 'queries' },
    { op: 'rope', table, to: 'keys' },
  ];
}

/** Which frequencies a layer turns by; undefined: by none. */
export function ropeTableOf(config: ModelConfig, layer: number): RopeTable | undefined {
  if (config.ropeless?.[layer]) return undefined;
  return config.windowRope && config.windows?.[layer] ? 1 : 0;
}

function scaled(factor: number | undefined, to: BufferName): Operation[] {
  return factor === undefined ? [] : [{ op: 'scale', factor, to }];
}

function capped(cap: number | undefined, to: BufferName): Operation[] {
  return cap === undefined ? [] : [{ op: 'softCap', cap, to }];
}

/** The steps of one layer, in order. */
export function stepsOf(plan: ForwardPlan, layer: number): Step[] {
  const group = plan.groups.find(({ layers }) => layers.includes(layer));
  if (!group) throw new RangeError(`layer ${layer}: the plan has none of that number`);
  return group.steps;
}

/**
 * Products of the same activations with several matrices; in 8 bits for those that are stored so.
 */
function products(
  model: PlannedModel,
  layer: number,
  from: BufferName,
  lines: BufferName,
  all: readonly [matrix: MatrixRole, to: BufferName][],
): Operation[] {
  const roles = all.map(([matrix]) => matrix);
  return [
    ...quantized(model, layer, from, lines, roles),
    ...all.map(([matrix, to]) => product(model, layer, from, lines, matrix, to)),
  ];
}

function quantized(
  model: PlannedModel,
  layer: number,
  from: BufferName,
  to: BufferName,
  roles: readonly MatrixRole[],
): Operation[] {
  const isWanted = roles.some((role) => isQuantized(matrixOf(model, layer, role).type));
  return isWanted ? [{ op: 'quantize', from, to }] : [];
}

function product(
  model: PlannedModel,
  layer: number,
  from: BufferName,
  lines: BufferName,
  matrix: MatrixRole,
  to: BufferName,
): Operation {
  const { type } = matrixOf(model, layer, matrix);
  return { op: 'matmul', matrix, from: isQuantized(type) ? lines : from, to };
}

/** Whether products with a matrix of the type are made in 8 bits. */
function isQuantized(type: TensorType): boolean {
  return weightTypes[type].group > 1;
}

function matrixOf({ tensors }: PlannedModel, layer: number, role: MatrixRole) {
  if (role === 'embedding') return tensors.embedding;
  if (role === 'output') return tensors.output ?? tensors.embedding;
  return tensors.layers[layer][role];
}

function vectorOf({ tensors }: PlannedModel, layer: number, role: NormRole | BiasRole) {
  const found = role === 'outputNorm' ? tensors.outputNorm : tensors.layers[layer][role];
  if (!found) throw new Error(`layer ${layer}: no ${role}`);
  return found;
}

/** A step with all that follows from its operations. */
function step(model: PlannedModel, layer: number, name: string, operations: Operation[]): Step {
  const matrices = operations.flatMap((operation): PlannedMatrix[] => {
    if (operation.op !== 'matmul' && operation.op !== 'embed') return [];
    const { type, rows, columns } = matrixOf(model, layer, operation.matrix);
    const bytes = tiledBytes(weightTypes[type].tile, rows, columns);
    return [{ role: operation.matrix, type, rows, columns, bytes }];
  });
  const vectors = operations.flatMap((operation) => {
    const role =
      operation.op === 'rmsNorm' || operation.op === 'headNorm'
        ? operation.weight
        : operation.op === 'addBias'
          ? operation.bias
          : undefined;
    return role ? [{ role, values: vectorOf(model, layer, role).columns }] : [];
  });
  const reads = new Set<BufferName>();
  const writes = new Set<BufferName>();
  for (const operation of operations) {
    for (const name of readsOf(operation)) if (!writes.has(name)) reads.add(name);
    for (const name of writesOf(operation)) writes.add(name);
  }
  const isProduct = ({ role }: PlannedMatrix) => role !== 'embedding'; // of which it takes a row
  const multiplied = matrices.filter(isProduct);
  const { heads, headDim } = model.config;
  const attends = operations.some(({ op }) => op === 'attention');
  return {
    ...{ name, operations, matrices, vectors, reads: [...reads], writes: [...writes] },
    weightBytes:
      multiplied.reduce((sum, { bytes }) => sum + bytes, 0) +
      vectors.reduce((sum, { values }) => sum + values * 4, 0),
    flops: multiplied.reduce((sum, { rows, columns }) => sum + 2 * rows * columns, 0),
    flopsPerPosition: attends ? 4 * heads * headDim : 0,
  };
}

function readsOf(operation: Operation): BufferName[] {
  switch (operation.op) {
    case 'embed':
      return [];
    case 'addBias':
    case 'rope':
    case 'headNorm':
    case 'scale':
    case 'temper':
    case 'softCap':
      return [operation.to];
    case 'storeKv':
      return [operation.keys, operation.values];
    case 'attention':
      return [operation.queries, operation.from];
    case 'add':
      return [operation.from, operation.to];
    case 'swiglu':
    case 'geglu':
      return [operation.gate, operation.up];
    default:
      return [operation.from];
  }
}

function writesOf(operation: Operation): BufferName[] {
  return ['gate' in operation ? operation.gate : operation.to];
}
