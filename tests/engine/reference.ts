/**
 * The Llama transformer in 64-bit floating point, as slow and plain as can be: the authority that the guest's engine is
 * compared with. From the papers (Touvron et al. 2023 "LLaMA" §2.2; Su et al. 2021 "RoFormer" eq. 34; Zhang & Sennrich 2019
 * eq. 4; Shazeer 2020 "GLU Variants" eq. 6; Ainslie et al. 2023 "GQA" §2), in the order of llama2.c's `forward`.
 * It shares nothing with the engine but the model reader and `dequantize`. With `isRounded` it rounds what docs/architecture.md
 * says is rounded ("Exactness and precision"), still in f64: what goes into a product with 4- to 8-bit weights, keys and values.
 */
import { dequantize, type Model, type Tensor, weightTypes } from '../../src/model/index.ts';

type Vector = Float64Array;

/** A matrix of rows × columns values, row after row. */
interface Matrix {
  rows: number;
  columns: number;
  values: Float32Array;
  /** Weights of few bits, with scales. */
  isQuantized: boolean;
}

export interface ReferenceOptions {
  isRounded?: boolean;
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
  { isRounded = false, pairs = 'interleaved' }: ReferenceOptions = {},
): Promise<Reference> {
  const { config, tensors } = model;
  const { heads, kvHeads, headDim } = config;
  const embedding = await readMatrix(tensors.embedding);
  const output = tensors.output ? await readMatrix(tensors.output) : embedding;
  const outputNorm = await readMatrix(tensors.outputNorm);
  const layers = await Promise.all(
    tensors.layers.map(async (layer) => ({
      attentionNorm: await readMatrix(layer.attentionNorm),
      query: await readMatrix(layer.query),
      key: await readMatrix(layer.key),
      value: await readMatrix(layer.value),
      attentionOutput: await readMatrix(layer.attentionOutput),
      ffnNorm: await readMatrix(layer.ffnNorm),
      gate: await readMatrix(layer.gate),
      up: await readMatrix(layer.up),
      down: await readMatrix(layer.down),
      keys: [] as Vector[], // [position] → f64[kvHeads · headDim], rotated
      values: [] as Vector[], // [position] → f64[kvHeads · headDim]
    })),
  );

  /** matrix · x. x: f64[columns]; result: f64[rows]. */
  const multiply = (matrix: Matrix, x: Vector): Vector =>
    product(matrix, isRounded && matrix.isQuantized ? roundActivations(x) : x);
  const cached = (x: Vector): Vector => (isRounded ? x.map(toHalf) : x);

  /** Rotates each head's pair i by position · base^(-2i / ropeDim). x: f64[n · headDim]. */
  function rotate(x: Vector, position: number): void {
    const { ropeDim } = config;
    for (let head = 0; head < x.length; head += headDim) {
      for (let i = 0; i < ropeDim / 2; i++) {
        const angle = position * config.ropeBase ** ((-2 * i) / ropeDim);
        const at = head + (pairs === 'halves' ? i : 2 * i);
        const other = at + (pairs === 'halves' ? ropeDim / 2 : 1);
        const [a, b] = [x[at], x[other]];
        x[at] = a * Math.cos(angle) - b * Math.sin(angle);
        x[other] = a * Math.sin(angle) + b * Math.cos(angle);
      }
    }
  }

  /** Every query head over all positions so far; head h reads key/value head h · kvHeads / heads. */
  function attend(query: Vector, keys: Vector[], values: Vector[]): Vector {
    const mixed = new Float64Array(heads * headDim);
    for (let head = 0; head < heads; head++) {
      const from = Math.floor((head * kvHeads) / heads) * headDim;
      const scores = keys.map((key) => {
        let score = 0;
        for (let i = 0; i < headDim; i++) score += query[head * headDim + i] * key[from + i];
        return score / Math.sqrt(headDim);
      });
      softmax(scores).forEach((share, position) => {
        for (let i = 0; i < headDim; i++) {
          mixed[head * headDim + i] += share * values[position][from + i];
        }
      });
    }
    return mixed;
  }

  return {
    forward(token) {
      const position = layers[0].keys.length;
      // x: f64[dim], the residual stream
      const x = Float64Array.from(row(embedding, token));
      for (const layer of layers) {
        const h = rmsNorm(x, layer.attentionNorm.values, config.normEpsilon);
        const query = multiply(layer.query, h); // f64[heads · headDim]
        const key = multiply(layer.key, h); // f64[kvHeads · headDim]
        rotate(query, position);
        rotate(key, position);
        layer.keys.push(cached(key));
        layer.values.push(cached(multiply(layer.value, h)));
        add(x, multiply(layer.attentionOutput, attend(query, layer.keys, layer.values)));

        const f = rmsNorm(x, layer.ffnNorm.values, config.normEpsilon);
        const gate = multiply(layer.gate, f); // f64[hiddenDim]
        const up = multiply(layer.up, f); // f64[hiddenDim]
        const gated = gate.map((g, i) => (g / (1 + Math.exp(-g))) * up[i]); // SiLU(g) · u
        add(x, multiply(layer.down, gated));
      }
      return multiply(output, rmsNorm(x, outputNorm.values, config.normEpsilon));
    },
    reset() {
      for (const layer of layers) {
        layer.keys.length = 0;
        layer.values.length = 0;
      }
    },
  };
}

async function readMatrix(tensor: Tensor): Promise<Matrix> {
  const values = new Float32Array(tensor.rows * tensor.columns);
  dequantize(tensor.type, await tensor.read(), values);
  const { type, rows, columns } = tensor;
  return { rows, columns, values, isQuantized: weightTypes[type].group > 1 };
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

/** Groups of 16 values become whole numbers -127 … 127 times one scale, the greatest magnitude / 127. */
function roundActivations(x: Vector): Vector {
  const rounded = x.slice();
  for (let group = 0; group < x.length; group += 16) {
    const scale = Math.max(...x.subarray(group, group + 16).map(Math.abs)) / 127;
    for (let i = group; i < group + 16; i++) rounded[i] = scale && Math.round(x[i] / scale) * scale;
  }
  return rounded;
}

/** The nearest IEEE 754 binary16 number, ties to even: eleven significant bits, none below 2^-24. */
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
