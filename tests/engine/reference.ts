/**
 * The transformer in 64-bit floating point, as slow and plain as can be: the authority that the
 * guest's engine is compared with. From the papers (Touvron et al. 2023 "LLaMA" §2.2; Su et al.
 * 2021 "RoFormer" eq. 34; Zhang & Sennrich 2019 eq. 4; Shazeer 2020 "GLU Variants" eq. 6; Ainslie
 * et al. 2023 "GQA" §2; Hendrycks & Gimpel 2016 "GELUs" §2; Beltagy et al. 2020 "Longformer" §3.1;
 * Gemma Team 2024 "Gemma 2" §2). Which operations a model has, in which order, is the plan's to say
 * (src/plan/forward.ts); what each one is, is said here. It shares nothing else with the engine
 * but the model reader and `dequantize`. familyVectors.test.ts holds it to llama.cpp. With
 * `isRounded` it rounds what docs/architecture.md says is rounded ("Exactness and precision"),
 * still in f64: what goes into a product with 4- to 8-bit weights, keys and values.
 */
import { dequantize, type Model, ropeFrequencies, type Tensor } from '../../src/model/index.ts';
import type { BufferName } from '../../src/plan/buffers.ts';
import {
  type Operation,
  planForward,
  type RopeTable,
  type Step,
  stepsOf,
} from '../../src/plan/forward.ts';
import type { CacheType } from '../../src/plan/sizes.ts';

type Vector = Float64Array;
type Attention = Extract<Operation, { op: 'attention' }>;

/** A matrix of rows × columns values, row after row; a vector has one row. */
interface Matrix {
  rows: number;
  columns: number;
  values: Float32Array;
}

/** A step of the plan with the weights that it needs. */
interface Part {
  operations: Operation[];
  weights: Map<string, Matrix>;
}

/** Keys and values of a layer: [position] → f64[kvHeads · headDim], as they are cached. */
interface Cache {
  keys: Vector[];
  values: Vector[];
}

export interface ReferenceOptions {
  isRounded?: boolean;
  /** Where it rounds: how keys and values are cached. Default: f16. */
  cacheType?: CacheType;
  /**
   * Which values of a head rotate together in the tensors as they are: 2i and 2i + 1, or i and
   * i + ropeDim / 2 (Black et al. 2022, "GPT-NeoX-20B" §2.1.1; rotate_half of Hugging Face).
   */
  pairs?: 'interleaved' | 'halves';
}

export interface Reference {
  /** Evaluates one token at the next position and returns f64[vocabSize] logits. */
  forward(token: number): Vector;
  /** Starts a new context. */
  reset(): void;
}

/** Reads all weights; the model can be closed afterwards. */
export async function createReference(
  model: Model,
  { isRounded = false, cacheType = 'f16', pairs = 'interleaved' }: ReferenceOptions = {},
): Promise<Reference> {
  const { config, tensors } = model;
  const { heads, kvHeads, headDim } = config;
  const plan = planForward(model, config.contextLength);
  const embedding = await readPart(plan.embedding, tensors);
  const layers = await Promise.all(
    tensors.layers.map(async (layer, i) => ({
      parts: await Promise.all(stepsOf(plan, i).map((step) => readPart(step, layer))),
      cache: { keys: [], values: [] } as Cache,
    })),
  );
  const output = await readPart(plan.output, {
    ...tensors,
    output: tensors.output ?? tensors.embedding,
  });

  // base^(-2i / ropeDim), or what tests/model/ropeScaling.test.ts holds beside ggml's values
  const { ropeDim, windowRope = config } = config;
  const tables = [config, { ...windowRope, ropeDim }].map((rope) => ({
    frequencies: ropeFrequencies(rope, config.contextLength),
    magnitude: rope.ropeScaling?.magnitude ?? 1,
  }));

  /** Rotates each head's pair i by position · frequency i. x: f64[n · headDim]. */
  function rotate(x: Vector, position: number, table: RopeTable): void {
    const { frequencies, magnitude } = tables[table];
    for (let head = 0; head < x.length; head += headDim) {
      for (let i = 0; i < ropeDim / 2; i++) {
        const angle = position * frequencies[i];
        const [cos, sin] = [Math.cos(angle) * magnitude, Math.sin(angle) * magnitude];
        const at = head + (pairs === 'halves' ? i : 2 * i);
        const other = at + (pairs === 'halves' ? ropeDim / 2 : 1);
        const [a, b] = [x[at], x[other]];
        x[at] = a * cos - b * sin;
        x[other] = a * sin + b * cos;
      }
    }
  }

  /**
   * Every query head over the last `window` positions so far, 0: all; head h reads key/value head
   * h · kvHeads / heads.
   */
  function attend(query: Vector, cache: Cache, { scale, window, cap }: Attention): Vector {
    const keys = window === 0 ? cache.keys : cache.keys.slice(-window);
    const values = window === 0 ? cache.values : cache.values.slice(-window);
    const mixed = new Float64Array(heads * headDim);
    for (let head = 0; head < heads; head++) {
      const from = Math.floor((head * kvHeads) / heads) * headDim;
      const scores = keys.map((key) => {
        let score = 0;
        for (let i = 0; i < headDim; i++) score += query[head * headDim + i] * key[from + i];
        return softCap(score * scale, cap);
      });
      softmax(scores).forEach((share, position) => {
        for (let i = 0; i < headDim; i++) {
          mixed[head * headDim + i] += share * values[position][from + i];
        }
      });
    }
    return mixed;
  }

  /** One operation on the buffers. cache: of the layer */
  function execute(
    operation: Operation,
    weights: Part['weights'],
    buffers: Map<BufferName, Vector>,
    cache: Cache,
    { token, position }: { token: number; position: number },
  ): void {
    const get = (name: BufferName) => have(buffers.get(name), name);
    const weight = (role: string) => have(weights.get(role), role);
    switch (operation.op) {
      case 'embed':
        buffers.set(operation.to, Float64Array.from(row(weight(operation.matrix), token)));
        break;
      case 'rmsNorm': {
        const { values } = weight(operation.weight);
        buffers.set(operation.to, rmsNorm(get(operation.from), values, config.normEpsilon));
        break;
      }
      case 'headNorm': {
        const x = get(operation.to);
        const { values } = weight(operation.weight);
        for (let at = 0; at < x.length; at += headDim) {
          x.set(rmsNorm(x.slice(at, at + headDim), values, config.normEpsilon), at);
        }
        break;
      }
      case 'scale':
        buffers.set(
          operation.to,
          get(operation.to).map((v) => v * operation.factor),
        );
        break;
      case 'temper': {
        const { growth, length } = operation;
        const factor = 1 + growth * Math.log(1 + Math.floor(position / length));
        buffers.set(
          operation.to,
          get(operation.to).map((v) => v * factor),
        );
        break;
      }
      case 'softCap':
        buffers.set(
          operation.to,
          get(operation.to).map((v) => softCap(v, operation.cap)),
        );
        break;
      case 'quantize': {
        const x = get(operation.from);
        buffers.set(operation.to, isRounded ? roundActivations(x) : x);
        break;
      }
      case 'matmul':
        buffers.set(operation.to, product(weight(operation.matrix), get(operation.from)));
        break;
      case 'addBias':
        add(get(operation.to), Float64Array.from(weight(operation.bias).values));
        break;
      case 'rope':
        rotate(get(operation.to), position, operation.table);
        break;
      case 'storeKv': {
        const round = (x: Vector) => (cacheType === 'q8' ? roundTurned(x, headDim) : x.map(toHalf));
        const cached = (x: Vector) => (isRounded ? round(x) : x);
        cache.keys.push(cached(get(operation.keys)));
        cache.values.push(cached(get(operation.values)));
        break;
      }
      case 'attention':
        buffers.set(operation.to, attend(get(operation.queries), cache, operation));
        break;
      case 'add':
        add(get(operation.to), get(operation.from));
        break;
      case 'swiglu':
      case 'geglu': {
        const up = get(operation.up);
        const activate = operation.op === 'swiglu' ? silu : gelu;
        const gated = get(operation.gate).map((g, i) => activate(g) * up[i]);
        buffers.set(operation.gate, gated);
        break;
      }
    }
  }

  return {
    forward(token) {
      const position = layers[0].cache.keys.length;
      const buffers = new Map<BufferName, Vector>();
      const run = (part: Part, cache: Cache) => {
        for (const operation of part.operations) {
          execute(operation, part.weights, buffers, cache, { token, position });
        }
      };
      const none: Cache = { keys: [], values: [] };
      run(embedding, none);
      for (const { parts, cache } of layers) for (const part of parts) run(part, cache);
      run(output, none);
      return have(buffers.get('logits'), 'logits');
    },
    reset() {
      for (const { cache } of layers) {
        cache.keys.length = 0;
        cache.values.length = 0;
      }
    },
  };
}

function silu(x: number): number {
  return x / (1 + Math.exp(-x));
}

/** Its approximation by tanh. */
function gelu(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

/** cap 0: none. */
function softCap(x: number, cap: number): number {
  return cap === 0 ? x : cap * Math.tanh(x / cap);
}

function have<T>(found: T | undefined, name: string): T {
  if (found === undefined) throw new Error(`the plan has made no ${name} before it is used`);
  return found;
}

/** Reads what a step of the plan needs of these tensors. */
async function readPart({ operations, matrices, vectors }: Step, tensors: object): Promise<Part> {
  const roles = [...matrices, ...vectors].map(({ role }) => role);
  const of = tensors as Record<string, Tensor | undefined>;
  const entries = roles.map(
    async (role) => [role, await readMatrix(have(of[role], role))] as const,
  );
  return { operations, weights: new Map(await Promise.all(entries)) };
}

async function readMatrix(tensor: Tensor): Promise<Matrix> {
  const values = new Float32Array(tensor.rows * tensor.columns);
  dequantize(tensor.type, await tensor.read(), values);
  const { rows, columns } = tensor;
  return { rows, columns, values };
}

function row(matrix: Matrix, index: number): Float32Array {
  return matrix.values.subarray(index * matrix.columns, (index + 1) * matrix.columns);
}

function product({ rows, columns, values }: Matrix, x: Vector): Vector {
  const sums = new Float64Array(rows);
  for (let r = 0, at = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++, at++) sums[r] += values[at] * x[c];
  }
  return sums;
}

/**
 * Groups of 16 values become whole numbers -127 … 127 times one scale, the greatest magnitude /
 * 127.
 */
function roundActivations(x: Vector): Vector {
  const rounded = x.slice();
  for (let group = 0; group < x.length; group += 16) {
    const scale = Math.max(...x.subarray(group, group + 16).map(Math.abs)) / 127;
    for (let i = group; i < group + 16; i++) rounded[i] = scale && Math.round(x[i] / scale) * scale;
  }
  return rounded;
}

/**
 * Runs of 32 values (of 16, where a head is no multiple of 32) are multiplied with Hadamard's
 * matrix of 1 and -1; groups of 16 become whole numbers -127 … 127 times one half, that nearest to
 * the greatest magnitude / 127; and what is meant by that is turned back.
 */
function roundTurned(x: Vector, headDim: number): Vector {
  const width = headDim % 32 === 0 ? 32 : 16;
  const result = new Float64Array(x.length);
  for (let at = 0; at < x.length; at += width) {
    const turned = hadamard(x.subarray(at, at + width));
    for (let group = 0; group < width; group += 16) {
      const values = turned.subarray(group, group + 16);
      const step = toHalf(Math.max(...values.map(Math.abs)) / 127);
      values.forEach((value, i) => {
        const quant = Math.max(-127, Math.min(127, Math.round(value / step)));
        values[i] = step > 0 ? quant * step : 0;
      });
    }
    result.set(
      hadamard(turned).map((value) => value / width),
      at,
    );
  }
  return result;
}

/** Sylvester's: H of twice the size is H beside H over H beside -H. */
function hadamard(x: Vector): Vector {
  if (x.length === 1) return x.slice();
  const half = x.length / 2;
  const [a, b] = [hadamard(x.subarray(0, half)), hadamard(x.subarray(half))];
  return Float64Array.from([...a.map((v, i) => v + b[i]), ...a.map((v, i) => v - b[i])]);
}

/**
 * The nearest IEEE 754 binary16 number, ties to even: eleven significant bits, none below 2^-24.
 */
function toHalf(x: number): number {
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(x))), -14);
  const step = 2 ** (exponent - 10);
  const whole = Math.floor(x / step);
  const rest = x / step - whole;
  return (rest > 0.5 || (rest === 0.5 && whole % 2 !== 0) ? whole + 1 : whole) * step;
}

/** weight · x / √(mean(x²) + ε). x: f64[n], weight: f32[n]. */
function rmsNorm(x: Vector, weight: Float32Array, epsilon: number): Vector {
  const meanSquare = x.reduce((sum, v) => sum + v * v, 0) / x.length;
  const scale = 1 / Math.sqrt(meanSquare + epsilon);
  return x.map((v, i) => weight[i] * v * scale);
}

export function softmax(scores: ArrayLike<number>): Vector {
  const values = Float64Array.from(scores);
  const greatest = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = values.map((s) => Math.exp(s - greatest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}

function add(x: Vector, y: Vector): void {
  for (let i = 0; i < x.length; i++) x[i] += y[i];
}

/** Σ p · ln(p / q) in nats of two softmaxes. logits, other: [vocabSize] */
export function klDivergence(logits: ArrayLike<number>, other: ArrayLike<number>): number {
  const q = softmax(other);
  return softmax(logits).reduce((sum, p, i) => (p > 0 ? sum + p * Math.log(p / q[i]) : sum), 0);
}
