/**
 * The transformer. Touvron et al. 2023: pre-normalized blocks of attention and SwiGLU around a
 * residual stream.
 *
 *   x ← embedding
 *   for each layer
 *     h ← norm(x);  q, k, v ← Wq · h, Wk · h, Wv · h;  RoPE turns q and k;  k, v into the cache
 *     a ← softmax(q · K / √d) · V
 *     x ← x + Wo · a
 *     h ← norm(x);  g ← silu(Wgate · h) ∘ (Wup · h)
 *     x ← x + Wdown · g
 *   logits ← W · norm(x)
 *
 * That is Llama; what other families have beside it stands behind constants (docs/architecture.md).
 * Up to MICRO_BATCH tokens go through a layer together; each result is the same, bit for bit, as
 * if they went one by one. The same as data, with shapes and bytes: src/plan/forward.ts; `mu
 * inspect` prints it.
 */

import { barrier, MAX_CORES, packStart, parallel } from 'machine';
import {
  CONTEXT,
  DIM,
  EMBEDDING_OFFSET,
  EMBEDDING_SCALE,
  FFN_DIM,
  FFN_ROW,
  HAS_POST_NORMS,
  HAS_PRE_NORMS,
  HAS_QKV_BIAS,
  HAS_TEMPERATURE,
  HEAD_DIM,
  INNER_DIM,
  KEY_NORM_DIM,
  KV_DIM,
  KV_HEADS,
  KV_ROW,
  LAYERS,
  LOGIT_CAP,
  LOGIT_SCALE,
  MICRO_BATCH,
  OUTPUT_OFFSET,
  OUTPUT_TYPE,
  QUERY_DIM,
  QUERY_NORM_DIM,
  QUERY_ROW,
  RESIDUAL_SCALE,
  TEMPERATURE_LENGTH,
  TEMPERATURES,
  TURNS_FIRST,
  VOCABULARY_ROWS,
} from 'model';
import { attend, GROUP, storeKey, storeValue } from '../kernels/attention.ts';
import { glu } from '../kernels/glu.ts';
import { dequantizeRow, matmul } from '../kernels/matmul.ts';
import { addTo, rmsNorm } from '../kernels/norm.ts';
import {
  type Activations,
  type Input,
  PANEL_TOKENS,
  quantizeActivations,
} from '../kernels/quantize.ts';
import { addQuery, type QueryBlock } from '../kernels/queryBlock.ts';
import { applyRope, computeRopeAngles } from '../kernels/rope.ts';
import { scaleBy, softCap } from '../kernels/scale.ts';
import { QUANTIZES, TILE_ROWS, tileBytes } from '../kernels/tileFormat.ts';
import {
  keyNorm,
  matrixOf,
  outputNorm,
  postNorm,
  preNorm,
  qkvBias,
  queryNorm,
  Role,
  typeOf,
} from './weights.ts';

const STREAM_SIZE: i32 = MICRO_BATCH * DIM;
const QUERY_SIZE: i32 = MICRO_BATCH * QUERY_ROW;
const KV_SIZE: i32 = MICRO_BATCH * KV_ROW;
const FFN_SIZE: i32 = MICRO_BATCH * FFN_ROW;
const GATES_SIZE: i32 = 2 * FFN_SIZE;

/** Tokens of a micro-batch in whole panels. */
const PACKED: i32 = ((MICRO_BATCH + PANEL_TOKENS - 1) / PANEL_TOKENS) * PANEL_TOKENS;
const NORMED_LINES: i32 = PACKED * ((DIM + 31) / 32);
const INNER_LINES: i32 = PACKED * (INNER_DIM / 32);
const OWN_SIZE: i32 = MAX_CORES * DIM;
const OWN_LINES: i32 = MAX_CORES * ((DIM + 31) / 32);

/** @align 64 */
const x = zeroed<FixedArray<f32, typeof STREAM_SIZE>>(); // [MICRO_BATCH][DIM] the residual stream
/** @align 64 */
const normed = zeroed<FixedArray<f32, typeof STREAM_SIZE>>(); // [MICRO_BATCH][DIM]
/** @align 64 */
const normedLines = zeroed<FixedArray<Activations, typeof NORMED_LINES>>();
/** @align 64 */
const queries = zeroed<FixedArray<f32, typeof QUERY_SIZE>>(); // [MICRO_BATCH][QUERY_ROW]
/** @align 64 */
// [MICRO_BATCH][KV_ROW], on their way to the cache
const keys = zeroed<FixedArray<f32, typeof KV_SIZE>>();
/** @align 64 */
const values = zeroed<FixedArray<f32, typeof KV_SIZE>>(); // [MICRO_BATCH][KV_ROW]
/** @align 64 */
const attended = zeroed<FixedArray<f32, typeof QUERY_SIZE>>(); // [MICRO_BATCH][QUERY_ROW]
/** @align 64 */
const gates = zeroed<FixedArray<f32, typeof GATES_SIZE>>(); // [2][MICRO_BATCH][FFN_ROW] gates, ups
/** Of `attended` and of `gates`, which take turns. @align 64 */
const innerLines = zeroed<FixedArray<Activations, typeof INNER_LINES>>();
/** @align 64 */
// [MICRO_BATCH][DIM] what a block adds to x
const delta = zeroed<FixedArray<f32, typeof STREAM_SIZE>>();
/** @align 64 */
const logits = zeroed<FixedArray<f32, typeof VOCABULARY_ROWS>>();

/** Each core's own normed token. @align 64 */
const ownNormed = zeroed<FixedArray<f32, typeof OWN_SIZE>>(); // [MAX_CORES][DIM]
/** @align 64 */
const ownLines = zeroed<FixedArray<Activations, typeof OWN_LINES>>(); // [MAX_CORES][DIM / 32]

// What the jobs of `parallel` work on: no closures here
/** @align 64 */
let tokens: i32 = 0;
let start: i32 = 0;
/** The token whose logits are asked for. */
let asked: i32 = 0;

/**
 * Runs `count` ≤ MICRO_BATCH tokens, at positions position …, through all layers: fills the KV
 * cache and the residual stream.
 */
export function evaluate(ids: Ptr<i32>, count: i32, position: i32): void {
  assert(
    count >= 1 && count <= MICRO_BATCH && position + count <= CONTEXT,
    'batch outside the context',
  );
  tokens = count;
  start = position;
  for (let t: i32 = 0; t < tokens; t++) {
    embed(t, ids[t]);
    computeRopeAngles(t, start + t);
  }
  parallel(layersJob);
}

/**
 * Logits f32[VOCABULARY] that follow the index-th token of the last `evaluate`. They stand until
 * the next call.
 */
export function logitsOf(index: i32): Ptr<f32> {
  asked = index;
  parallel(logitsJob);
  return ref(logits[0]);
}

/**
 * All cores go through all layers together; what a step writes others read after the barrier
 * only.
 */
function layersJob(core: i32, cores: i32): void {
  for (let layer: i32 = 0; layer < LAYERS; layer++) {
    projectQkv(layer, core, cores);
    if (QUERY_NORM_DIM > 0) turnQkv(layer, core, cores);
    barrier(core);
    attention(layer, core, cores);
    barrier(core);
    attentionOutput(layer, core, cores);
    if (HAS_POST_NORMS) addNormed(2 * layer, core, cores);
    barrier(core);
    ffnGateUp(layer, core, cores);
    barrier(core);
    ffnDown(layer, core, cores);
    if (HAS_POST_NORMS) addNormed(2 * layer + 1, core, cores);
    if (layer + 1 < LAYERS) barrier(core);
  }
}

/** x ← the token's row of the embedding */
function embed(token: i32, id: i32): void {
  const matrix = ref(packStart()[EMBEDDING_OFFSET]);
  dequantizeRow(ref(x[token * DIM]), matrix, DIM, id);
  if (EMBEDDING_SCALE != 1) scaleBy(ref(x[token * DIM]), EMBEDDING_SCALE, DIM);
}

/**
 * input ← rmsNorm(x) · weight. Of a micro-batch each core normalizes its share of the tokens; a
 * token that is alone each core normalizes for itself, which takes less time than to get it from
 * another.
 */
function normalize(input: Ptr<Input>, weight: Ptr<f32>, core: i32, cores: i32): void {
  if (tokens == 1) {
    normalizeOwn(input, 0, weight, core);
    return;
  }
  setInput(input, ref(normed[0]), DIM, DIM, ref(normedLines[0]));
  for (let t = core; t < tokens; t += cores) {
    rmsNorm(ref(normed[t * DIM]), ref(x[t * DIM]), weight, DIM);
    quantizeActivations(input, t, tokens, 0, DIM);
  }
  barrier(core);
}

function normalizeOwn(input: Ptr<Input>, token: i32, weight: Ptr<f32>, core: i32): void {
  const lines = ref(ownLines[core * (DIM / 32)]);
  setInput(input, ref(ownNormed[core * DIM]), DIM, DIM, lines);
  rmsNorm(input.x, ref(x[token * DIM]), weight, DIM);
  quantizeActivations(input, 0, 1, 0, DIM);
}

/** input ← x, where norms come after the products. */
function takeStream(input: Ptr<Input>, core: i32, cores: i32): void {
  const lines = tokens == 1 ? ref(ownLines[core * (DIM / 32)]) : ref(normedLines[0]);
  setInput(input, ref(x[0]), DIM, DIM, lines);
  if (tokens == 1) {
    quantizeActivations(input, 0, 1, 0, DIM);
    return;
  }
  for (let t = core; t < tokens; t += cores) quantizeActivations(input, t, tokens, 0, DIM);
  barrier(core);
}

function inputFromAttended(input: Ptr<Input>): void {
  setInput(input, ref(attended[0]), QUERY_ROW, QUERY_DIM, ref(innerLines[0]));
}

function inputFromGates(input: Ptr<Input>): void {
  setInput(input, ref(gates[0]), FFN_ROW, FFN_DIM, ref(innerLines[0]));
}

/** x: f32[tokens][stride], of which n are columns */
function setInput(to: Ptr<Input>, x: Ptr<f32>, stride: i32, n: i32, lines: Ptr<Activations>): void {
  to.x = x;
  to.stride = stride;
  to.columns = n;
  to.lines = lines;
}

/** The rows first … end-1 (whole tiles) of a layer's matrix. out: f32[tokens][stride] */
function multiplyRows(
  out: Ptr<f32>,
  stride: i32,
  layer: i32,
  role: Role,
  input: Ptr<Input>,
  first: i32,
  end: i32,
): void {
  const type = typeOf(layer, role);
  const tile = first / TILE_ROWS;
  const tiles = ref(matrixOf(layer, role)[usize(tile) * tileBytes(type, input.columns)]);
  matmul(ref(out[first]), stride, tiles, type, (end - first) / TILE_ROWS, 1, 0, input, tokens);
}

/**
 * Where a core's share of so many rows (whole tiles) begins: blocks of 32, since these may be the
 * next matrix's columns.
 */
function firstRow(rows: i32, core: i32, cores: i32): i32 {
  const blocks = (rows + 31) / 32;
  return min(((blocks * core) / cores) * 32, rows);
}

/**
 * q, k, v ← Wq · h, Wk · h, Wv · h, h = norm(x); RoPE turns q and k; k and v go to the cache. The
 * three matrices lie one after the other in the pack, and a core takes one run of all their rows,
 * since memory is fastest where reading goes on. Where q and k are normed, that and what follows
 * are turnQkv's, since it takes whole heads.
 */
function projectQkv(layer: i32, core: i32, cores: i32): void {
  const input = zeroed<Input>();
  if (HAS_PRE_NORMS) normalize(ref(input), preNorm(2 * layer), core, cores);
  else takeStream(ref(input), core, cores);
  const first = firstRow(QUERY_ROW + 2 * KV_ROW, core, cores);
  const end = firstRow(QUERY_ROW + 2 * KV_ROW, core + 1, cores);
  const query = within(first, QUERY_ROW);
  const queryEnd = within(end, QUERY_ROW);
  const key = within(first - QUERY_ROW, KV_ROW);
  const keyEnd = within(end - QUERY_ROW, KV_ROW);
  const value = within(first - QUERY_ROW - KV_ROW, KV_ROW);
  const valueEnd = within(end - QUERY_ROW - KV_ROW, KV_ROW);
  multiplyRows(ref(queries[0]), QUERY_ROW, layer, Role.Query, ref(input), query, queryEnd);
  multiplyRows(ref(keys[0]), KV_ROW, layer, Role.Key, ref(input), key, keyEnd);
  multiplyRows(ref(values[0]), KV_ROW, layer, Role.Value, ref(input), value, valueEnd);
  for (let t: i32 = 0; t < tokens; t++) {
    const q = ref(queries[t * QUERY_ROW]);
    const k = ref(keys[t * KV_ROW]);
    const v = ref(values[t * KV_ROW]);
    if (HAS_QKV_BIAS) {
      const bias = qkvBias(layer);
      addTo(ref(q[query]), ref(bias[query]), queryEnd - query);
      addTo(ref(k[key]), ref(bias[QUERY_ROW + key]), keyEnd - key);
      addTo(ref(v[value]), ref(bias[QUERY_ROW + KV_ROW + value]), valueEnd - value);
    }
    if (QUERY_NORM_DIM > 0) continue;
    applyRope(q, layer, t, query, min(queryEnd, QUERY_DIM));
    applyRope(k, layer, t, key, min(keyEnd, KV_DIM));
    if (HAS_TEMPERATURE) temper(t, query, queryEnd);
    storeKey(layer, start + t, k, key, min(keyEnd, KV_DIM));
    storeValue(layer, start + t, v, value, min(valueEnd, KV_DIM));
  }
}

/** Queries grow with their position. Whole vectors: what pads a row is of no consequence. */
function temper(t: i32, first: i32, end: i32): void {
  const factor = TEMPERATURES[(start + t) / TEMPERATURE_LENGTH];
  scaleBy(ref(queries[t * QUERY_ROW + first]), factor, end - first);
}

/** When all is there: norms of q and k, RoPE; k and v go to the cache. A token is one core's. */
function turnQkv(layer: i32, core: i32, cores: i32): void {
  barrier(core);
  for (let t = core; t < tokens; t += cores) {
    const q = ref(queries[t * QUERY_ROW]);
    const k = ref(keys[t * KV_ROW]);
    if (TURNS_FIRST) turn(q, k, layer, t);
    normEach(q, queryNorm(layer), QUERY_NORM_DIM, QUERY_DIM);
    normEach(k, keyNorm(layer), KEY_NORM_DIM, KV_DIM);
    if (!TURNS_FIRST) turn(q, k, layer, t);
    if (HAS_TEMPERATURE) temper(t, 0, QUERY_DIM);
    storeKey(layer, start + t, k, 0, KV_DIM);
    storeValue(layer, start + t, ref(values[t * KV_ROW]), 0, KV_DIM);
  }
}

/** RoPE of all heads of a token. */
function turn(q: Ptr<f32>, k: Ptr<f32>, layer: i32, t: i32): void {
  applyRope(q, layer, t, 0, QUERY_DIM);
  applyRope(k, layer, t, 0, KV_DIM);
}

/** Each run of `width` values of x[n] by itself: heads, or all of them. */
function normEach(x: Ptr<f32>, weight: Ptr<f32>, width: i32, n: i32): void {
  for (let i: i32 = 0; i < n; i += width) rmsNorm(ref(x[i]), ref(x[i]), weight, width);
}

/** A row of several matrices as a row of one of them that has so many. */
function within(row: i32, rows: i32): i32 {
  return max(0, min(row, rows));
}

/**
 * a ← softmax(q · K / √d) · V. A core takes a run of queries, ordered by key/value head, then
 * token, then head, so that neighbours share their keys.
 */
function attention(layer: i32, core: i32, cores: i32): void {
  const block = zeroed<QueryBlock>();
  const perHead = tokens * GROUP;
  const first = (perHead * KV_HEADS * core) / cores;
  const end = (perHead * KV_HEADS * (core + 1)) / cores;
  for (let i = first; i < end; i++) {
    const head = i / perHead;
    const token = (i % perHead) / GROUP;
    const at = token * QUERY_ROW + (head * GROUP + (i % GROUP)) * HEAD_DIM;
    const isFull = addQuery(ref(block), ref(attended[at]), ref(queries[at]), start + token);
    const isLast = i + 1 == end || (i + 1) / perHead != head;
    if (isFull || isLast) attend(ref(block), layer, head);
  }
  quantizeAttended(first, end, core, cores);
}

/**
 * Quantizes what a core attended, queries first … end-1, where that is whole blocks of 32
 * columns; else tokens, when all have attended.
 */
function quantizeAttended(first: i32, end: i32, core: i32, cores: i32): void {
  const input = zeroed<Input>();
  inputFromAttended(ref(input));
  if (HEAD_DIM % 32 == 0) {
    const perHead = tokens * GROUP;
    for (let i = first; i < end; i++) {
      const column = ((i / perHead) * GROUP + (i % GROUP)) * HEAD_DIM;
      quantizeActivations(ref(input), (i % perHead) / GROUP, tokens, column, column + HEAD_DIM);
    }
  } else if (QUANTIZES) {
    barrier(core);
    for (let t = core; t < tokens; t += cores)
      quantizeActivations(ref(input), t, tokens, 0, QUERY_DIM);
  }
}

/** x ← x + Wo · a */
function attentionOutput(layer: i32, core: i32, cores: i32): void {
  const input = zeroed<Input>();
  inputFromAttended(ref(input));
  addShare(layer, Role.AttentionOutput, ref(input), core, cores);
}

/**
 * x ← x + matrix · input, for one core's share of the rows. Where a norm comes in between, the
 * adding is addNormed's, since it takes whole rows.
 */
function addShare(layer: i32, role: Role, input: Ptr<Input>, core: i32, cores: i32): void {
  const first = firstRow(DIM, core, cores);
  const end = firstRow(DIM, core + 1, cores);
  multiplyRows(ref(delta[0]), DIM, layer, role, input, first, end);
  if (HAS_POST_NORMS) return;
  for (let t: i32 = 0; t < tokens; t++) addDelta(t, first, end);
}

/** Columns first … end-1 of one token. */
function addDelta(t: i32, first: i32, end: i32): void {
  const added = ref(delta[t * DIM + first]);
  if (RESIDUAL_SCALE != 1) scaleBy(added, RESIDUAL_SCALE, end - first);
  addTo(ref(x[t * DIM + first]), added, end - first);
}

/** When all of delta is there: x ← x + norm(delta). A token is one core's. */
function addNormed(half: i32, core: i32, cores: i32): void {
  barrier(core);
  for (let t = core; t < tokens; t += cores) {
    const added = ref(delta[t * DIM]);
    rmsNorm(added, added, postNorm(half), DIM);
    addDelta(t, 0, DIM);
  }
}

/**
 * g ← silu(Wgate · h) ∘ (Wup · h), h = norm(x). Both matrices give a core the same rows, so that
 * it can finish them and quantize them for the next product.
 */
function ffnGateUp(layer: i32, core: i32, cores: i32): void {
  const input = zeroed<Input>();
  if (HAS_PRE_NORMS) normalize(ref(input), preNorm(2 * layer + 1), core, cores);
  else takeStream(ref(input), core, cores);
  const first = firstRow(FFN_ROW, core, cores);
  const end = firstRow(FFN_ROW, core + 1, cores);
  multiplyGateUp(layer, ref(input), first, end);
  inputFromGates(ref(input));
  for (let t: i32 = 0; t < tokens; t++) {
    const gate = ref(gates[t * FFN_ROW + first]);
    glu(gate, ref(gate[FFN_SIZE]), end - first);
    quantizeActivations(ref(input), t, tokens, first, min(end, FFN_DIM));
  }
}

/**
 * Rows first … end-1 of both. Where they have one type, their tiles take turns in the pack, and
 * are read as one stream.
 */
function multiplyGateUp(layer: i32, input: Ptr<Input>, first: i32, end: i32): void {
  const type = typeOf(layer, Role.Gate);
  const gate = ref(gates[0]);
  const up = ref(gates[FFN_SIZE]);
  if (type != typeOf(layer, Role.Up)) {
    multiplyRows(gate, FFN_ROW, layer, Role.Gate, input, first, end);
    multiplyRows(up, FFN_ROW, layer, Role.Up, input, first, end);
    return;
  }
  const tile = (first / TILE_ROWS) * 2;
  const count = ((end - first) / TILE_ROWS) * 2;
  const tiles = ref(matrixOf(layer, Role.Gate)[usize(tile) * tileBytes(type, DIM)]);
  matmul(ref(gate[first]), FFN_ROW, tiles, type, count, 2, FFN_SIZE, input, tokens);
}

/** x ← x + Wdown · g */
function ffnDown(layer: i32, core: i32, cores: i32): void {
  const input = zeroed<Input>();
  inputFromGates(ref(input));
  addShare(layer, Role.Down, ref(input), core, cores);
}

/** logits ← W · norm(x), of one token */
function logitsJob(core: i32, cores: i32): void {
  const input = zeroed<Input>();
  normalizeOwn(ref(input), asked, outputNorm(), core);
  const first = firstRow(VOCABULARY_ROWS, core, cores);
  const end = firstRow(VOCABULARY_ROWS, core + 1, cores);
  const at = usize(first / TILE_ROWS) * tileBytes(OUTPUT_TYPE, DIM);
  const tiles = ref(packStart()[OUTPUT_OFFSET + at]);
  const count = (end - first) / TILE_ROWS;
  matmul(ref(logits[first]), VOCABULARY_ROWS, tiles, OUTPUT_TYPE, count, 1, 0, ref(input), 1);
  if (LOGIT_SCALE != 1) scaleBy(ref(logits[first]), LOGIT_SCALE, end - first);
  if (LOGIT_CAP != 0) softCap(ref(logits[first]), LOGIT_CAP, end - first);
}
