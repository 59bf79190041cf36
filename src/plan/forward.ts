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
import { type Model, type TensorType, tiledBytes, weightTypes } from '../model/index.ts';
import { type Buffer, type BufferName, type BufferSizes, listBuffers, sizesOf } from './buffers.ts';
import type { Role } from './sizes.ts';

/** A matrix: of a layer, or one of the two ends. */
export type MatrixRole = Role | 'embedding' | 'output';
export type NormRole = 'attentionNorm' | 'ffnNorm' | 'outputNorm';
export type BiasRole = 'queryBias' | 'keyBias' | 'valueBias';

/** What is done with buffers, in words of the papers. Each is for every token of a micro-batch. */
export type Operation =
  /** to ← the token's row of the matrix */
  | { op: 'embed'; matrix: 'embedding'; to: BufferName }
  /** to ← weight · from / rms(from). Zhang & Sennrich 2019, eq. 4 */
  | { op: 'rmsNorm'; from: BufferName; weight: NormRole; to: BufferName }
  /** to ← from in 8 bits, a scale for each group of 16 */
  | { op: 'quantize'; from: BufferName; to: BufferName }
  /** to ← matrix · from */
  | { op: 'matmul'; matrix: MatrixRole; from: BufferName; to: BufferName }
  /** to ← to + bias */
  | { op: 'addBias'; bias: BiasRole; to: BufferName }
  /** rotates pairs of each head by the position's angles. Su et al. 2021, eq. 34 */
  | { op: 'rope'; to: BufferName }
  /** rounded to halves, to the token's position of the cache */
  | { op: 'storeKv'; keys: BufferName; values: BufferName; to: 'cache' }
  /** to ← softmax(queries · K / √headDim) · V. Vaswani et al. 2017, eq. 1; Ainslie et al. 2023 */
  | { op: 'attention'; queries: BufferName; from: 'cache'; to: BufferName }
  /** to ← to + from: a residual connection */
  | { op: 'add'; from: BufferName; to: BufferName }
  /** gate ← silu(gate) · up. Shazeer 2020, eq. 6 */
  | { op: 'swiglu'; gate: BufferName; up: BufferName };

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
export type PlannedModel = Pick<Model, 'config' | 'tensors'>;

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
    embedding: step(model, 0, 'embed', [{ op: 'embed', matrix: 'embedding', to: 'x' }]),
    groups: [...groups.values()],
    output: step(model, 0, 'logitsJob', [
      { op: 'rmsNorm', from: 'x', weight: 'outputNorm', to: 'ownNormed' },
      ...products(model, 0, 'ownNormed', 'ownLines', [['output', 'logits']]),
    ]),
    cacheBytesPerPosition: sizes.layers * sizes.kvHeads * (sizes.headDim + sizes.headRow) * 2,
  };
}

/** The five steps of a layer. What a family has beside Llama's is an operation here. */
function layerSteps(model: PlannedModel, layer: number): Step[] {
  const { queryBias, keyBias, valueBias } = model.tensors.layers[layer];
  const given = [queryBias, keyBias, valueBias].filter((bias) => bias !== undefined).length;
  if (given !== 0 && given !== 3) {
    throw new Error(
      `layer ${layer}: expected biases of queries, keys and values or none, found ${given}`,
    );
  }
  const biases: Operation[] =
    given === 0
      ? []
      : [
          { op: 'addBias', bias: 'queryBias', to: 'queries' },
          { op: 'addBias', bias: 'keyBias', to: 'keys' },
          { op: 'addBias', bias: 'valueBias', to: 'values' },
        ];
  return [
    step(model, layer, 'projectQkv', [
      { op: 'rmsNorm', from: 'x', weight: 'attentionNorm', to: 'normed' },
      ...products(model, layer, 'normed', 'normedLines', [
        ['query', 'queries'],
        ['key', 'keys'],
        ['value', 'values'],
      ]),
      ...biases,
      { op: 'rope', to: 'queries' },
      { op: 'rope', to: 'keys' },
      { op: 'storeKv', keys: 'keys', values: 'values', to: 'cache' },
    ]),
    step(model, layer, 'attention', [
      { op: 'attention', queries: 'queries', from: 'cache', to: 'attended' },
      ...quantized(model, layer, 'attended', 'innerLines', ['attentionOutput']),
    ]),
    step(model, layer, 'attentionOutput', [
      product(model, layer, 'attended', 'innerLines', 'attentionOutput', 'delta'),
      { op: 'add', from: 'delta', to: 'x' },
    ]),
    step(model, layer, 'ffnGateUp', [
      { op: 'rmsNorm', from: 'x', weight: 'ffnNorm', to: 'normed' },
      ...products(model, layer, 'normed', 'normedLines', [
        ['gate', 'gates'],
        ['up', 'ups'],
      ]),
      { op: 'swiglu', gate: 'gates', up: 'ups' },
      ...quantized(model, layer, 'gates', 'innerLines', ['down']),
    ]),
    step(model, layer, 'ffnDown', [
      product(model, layer, 'gates', 'innerLines', 'down', 'delta'),
      { op: 'add', from: 'delta', to: 'x' },
    ]),
  ];
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
      operation.op === 'rmsNorm'
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
      return [operation.to];
    case 'storeKv':
      return [operation.keys, operation.values];
    case 'attention':
      return [operation.queries, operation.from];
    case 'add':
      return [operation.from, operation.to];
    case 'swiglu':
      return [operation.gate, operation.up];
    default:
      return [operation.from];
  }
}

function writesOf(operation: Operation): BufferName[] {
  return [operation.op === 'swiglu' ? operation.gate : operation.to];
}
