/**
 * The Llama transformer. Touvron et al. 2023: pre-normalized blocks of attention and SwiGLU around a residual stream.
 * Up to BATCH tokens go through a layer together; each result is the same, bit for bit, as if they went one by one.
 *
 *   x ← embedding;  per layer: x ← x + Wo · attention(norm(x));  x ← x + Wdown · (silu(Wgate · h) ∘ Wup · h), h = norm(x);  logits = W · norm(x)
 */

import { barrier, MAX_CORES, packStart, parallel } from 'machine';
import {
  BATCH,
  CONTEXT,
  DIM,
  EMBEDDING_OFFSET,
  EMBEDDING_TYPE,
  HEAD_DIM,
  HIDDEN,
  KV_DIM,
  KV_HEADS,
  LAYERS,
  OUTPUT_OFFSET,
  OUTPUT_TYPE,
  QUERY_DIM,
  VOCABULARY_ROWS,
  WIDEST,
} from 'model';
import {
  addQuery,
  attend,
  GROUP,
  type QueryBlock,
  rememberKey,
  rememberValue,
} from '../kernels/attention.ts';
import { multiply, prepare, QUANTIZES, readRow, TILE_ROWS, tileBytes } from '../kernels/matmul.ts';
import { addTo, rmsNorm } from '../kernels/norm.ts';
import { type Activations, type Input, PACK_TOKENS } from '../kernels/quantize.ts';
import { rotate, turnTo } from '../kernels/rope.ts';
import { swiglu } from '../kernels/swiglu.ts';
import { attentionNorm, feedForwardNorm, matrixOf, outputNorm, Role, typeOf } from './weights.ts';

/** Strides are whole tiles: a matrix writes 16 rows at a time. */
const QUERY_ROW: i32 = ((QUERY_DIM + 15) / 16) * 16;
const KV_ROW: i32 = ((KV_DIM + 15) / 16) * 16;
const HIDDEN_ROW: i32 = ((HIDDEN + 15) / 16) * 16;
const PROJECTED_ROW: i32 = QUERY_ROW + 2 * KV_ROW;

const STREAM_SIZE: i32 = BATCH * DIM;
const QUERY_SIZE: i32 = BATCH * QUERY_ROW;
const KV_SIZE: i32 = BATCH * KV_ROW;
const HIDDEN_SIZE: i32 = BATCH * HIDDEN_ROW;
const GATES_SIZE: i32 = 2 * HIDDEN_SIZE;

/** Tokens of a batch in whole packs. */
const PACKED: i32 = ((BATCH + PACK_TOKENS - 1) / PACK_TOKENS) * PACK_TOKENS;
const NORMED_LINES: i32 = PACKED * ((DIM + 31) / 32);
const INNER_LINES: i32 = PACKED * ((WIDEST + 31) / 32);
const OWN_SIZE: i32 = MAX_CORES * DIM;
const OWN_LINES: i32 = MAX_CORES * ((DIM + 31) / 32);

/** @align 64 */
const x = zeroed<FixedArray<f32, typeof STREAM_SIZE>>(); // [BATCH][DIM] the residual stream
/** @align 64 */
const normed = zeroed<FixedArray<f32, typeof STREAM_SIZE>>(); // [BATCH][DIM]
/** @align 64 */
const normedLines = zeroed<FixedArray<Activations, typeof NORMED_LINES>>();
/** @align 64 */
const change = zeroed<FixedArray<f32, typeof STREAM_SIZE>>(); // [BATCH][DIM] what a block adds
/** @align 64 */
const queries = zeroed<FixedArray<f32, typeof QUERY_SIZE>>(); // [BATCH][HEADS][HEAD_DIM]
/** @align 64 */
const attended = zeroed<FixedArray<f32, typeof QUERY_SIZE>>(); // [BATCH][HEADS][HEAD_DIM]
/** @align 64 */
const newKeys = zeroed<FixedArray<f32, typeof KV_SIZE>>(); // [BATCH][KV_HEADS][HEAD_DIM]
/** @align 64 */
const newValues = zeroed<FixedArray<f32, typeof KV_SIZE>>(); // [BATCH][KV_HEADS][HEAD_DIM]
/** @align 64 */
const gates = zeroed<FixedArray<f32, typeof GATES_SIZE>>(); // [2][BATCH][HIDDEN] gates, ups
/** Of `attended` and of `gates`, which take turns. @align 64 */
const innerLines = zeroed<FixedArray<Activations, typeof INNER_LINES>>();
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

/** Runs `count` ≤ BATCH tokens, at positions position …, through all layers: fills the KV cache and the residual stream. */
export function evaluate(ids: Ptr<i32>, count: i32, position: i32): void {
  assert(count >= 1 && count <= BATCH && position + count <= CONTEXT, 'batch outside the context');
  tokens = count;
  start = position;
  for (let t: i32 = 0; t < tokens; t++) {
    readRow(ref(x[t * DIM]), ref(packStart()[EMBEDDING_OFFSET]), EMBEDDING_TYPE, DIM, ids[t]);
    turnTo(t, start + t);
  }
  parallel(layersJob);
}

/** Logits f32[VOCABULARY] that follow the index-th token of the last `evaluate`. They stand until the next call. */
export function logitsOf(index: i32): Ptr<f32> {
  asked = index;
  parallel(logitsJob);
  return ref(logits[0]);
}

/** All cores go through all layers together; what a step writes others read after the barrier only. */
function layersJob(core: i32, cores: i32): void {
  for (let layer: i32 = 0; layer < LAYERS; layer++) {
    project(layer, core, cores);
    barrier(core);
    attendQueries(layer, core, cores);
    barrier(core);
    addAttention(layer, core, cores);
    barrier(core);
    gate(layer, core, cores);
    barrier(core);
    addFeedForward(layer, core, cores);
    if (layer + 1 < LAYERS) barrier(core);
  }
}

/**
 * input ← rmsNorm(x) · weight. Of a batch each core normalizes its share of the tokens; a token that is alone each core normalizes for
 * itself, which takes less time than to get it from another core.
 */
function normalize(input: Ptr<Input>, weight: Ptr<f32>, core: i32, cores: i32): void {
  if (tokens == 1) {
    normalizeOwn(input, 0, weight, core);
    return;
  }
  setInput(input, ref(normed[0]), DIM, DIM, ref(normedLines[0]));
  for (let t = core; t < tokens; t += cores) {
    rmsNorm(ref(normed[t * DIM]), ref(x[t * DIM]), weight, DIM);
    prepare(input, t, tokens, 0, DIM);
  }
  barrier(core);
}

function normalizeOwn(input: Ptr<Input>, token: i32, weight: Ptr<f32>, core: i32): void {
  const lines = ref(ownLines[core * (DIM / 32)]);
  setInput(input, ref(ownNormed[core * DIM]), DIM, DIM, lines);
  rmsNorm(input.x, ref(x[token * DIM]), weight, DIM);
  prepare(input, 0, 1, 0, DIM);
}

function useAttended(input: Ptr<Input>): void {
  setInput(input, ref(attended[0]), QUERY_ROW, QUERY_DIM, ref(innerLines[0]));
}

function useGates(input: Ptr<Input>): void {
  setInput(input, ref(gates[0]), HIDDEN_ROW, HIDDEN, ref(innerLines[0]));
}

function setInput(
  input: Ptr<Input>,
  x: Ptr<f32>,
  stride: i32,
  columns: i32,
  lines: Ptr<Activations>,
): void {
  input.x = x;
  input.stride = stride;
  input.columns = columns;
  input.lines = lines;
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
  multiply(ref(out[first]), stride, tiles, type, (end - first) / TILE_ROWS, 1, 0, input, tokens);
}

/** Where a core's share of so many rows (whole tiles) begins: blocks of 32, since these may be the next matrix's columns. */
function firstRow(rows: i32, core: i32, cores: i32): i32 {
  const blocks = (rows + 31) / 32;
  return min(((blocks * core) / cores) * 32, rows);
}

/**
 * Queries, keys and values. The three matrices lie one after the other in the pack, and a core takes one run of all their rows, since memory is
 * fastest where reading goes on. It turns the rows that it computed, and caches its keys and values.
 */
function project(layer: i32, core: i32, cores: i32): void {
  const input = zeroed<Input>();
  normalize(ref(input), attentionNorm(layer), core, cores);
  const first = firstRow(PROJECTED_ROW, core, cores);
  const end = firstRow(PROJECTED_ROW, core + 1, cores);
  const query = within(first, QUERY_ROW);
  const queryEnd = within(end, QUERY_ROW);
  const key = within(first - QUERY_ROW, KV_ROW);
  const keyEnd = within(end - QUERY_ROW, KV_ROW);
  const value = within(first - QUERY_ROW - KV_ROW, KV_ROW);
  const valueEnd = within(end - QUERY_ROW - KV_ROW, KV_ROW);
  multiplyRows(ref(queries[0]), QUERY_ROW, layer, Role.Query, ref(input), query, queryEnd);
  multiplyRows(ref(newKeys[0]), KV_ROW, layer, Role.Key, ref(input), key, keyEnd);
  multiplyRows(ref(newValues[0]), KV_ROW, layer, Role.Value, ref(input), value, valueEnd);
  for (let t: i32 = 0; t < tokens; t++) {
    const keys = ref(newKeys[t * KV_ROW]);
    rotate(ref(queries[t * QUERY_ROW]), t, query, min(queryEnd, QUERY_DIM));
    rotate(keys, t, key, min(keyEnd, KV_DIM));
    rememberKey(layer, start + t, keys, key, min(keyEnd, KV_DIM));
    const values = ref(newValues[t * KV_ROW]);
    rememberValue(layer, start + t, values, value, min(valueEnd, KV_DIM));
  }
}

/** A row of several matrices as a row of one of them that has so many. */
function within(row: i32, rows: i32): i32 {
  return max(0, min(row, rows));
}

/** A core takes a run of queries, ordered by key/value head, then token, then head, so that neighbours share their keys. */
function attendQueries(layer: i32, core: i32, cores: i32): void {
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
  prepareAttended(first, end, core, cores);
}

/** Makes ready what a core attended, queries first … end-1, where that is whole blocks of 32 columns; else tokens that all attended. */
function prepareAttended(first: i32, end: i32, core: i32, cores: i32): void {
  const input = zeroed<Input>();
  useAttended(ref(input));
  if (HEAD_DIM % 32 == 0) {
    const perHead = tokens * GROUP;
    for (let i = first; i < end; i++) {
      const column = ((i / perHead) * GROUP + (i % GROUP)) * HEAD_DIM;
      prepare(ref(input), (i % perHead) / GROUP, tokens, column, column + HEAD_DIM);
    }
  } else if (QUANTIZES) {
    barrier(core);
    for (let t = core; t < tokens; t += cores) prepare(ref(input), t, tokens, 0, QUERY_DIM);
  }
}

/** x ← x + Wo · attended */
function addAttention(layer: i32, core: i32, cores: i32): void {
  const input = zeroed<Input>();
  useAttended(ref(input));
  addShare(layer, Role.AttentionOutput, ref(input), core, cores);
}

/** x ← x + matrix · input, for one core's share of the rows. */
function addShare(layer: i32, role: Role, input: Ptr<Input>, core: i32, cores: i32): void {
  const first = firstRow(DIM, core, cores);
  const end = firstRow(DIM, core + 1, cores);
  multiplyRows(ref(change[0]), DIM, layer, role, input, first, end);
  for (let t: i32 = 0; t < tokens; t++) {
    addTo(ref(x[t * DIM + first]), ref(change[t * DIM + first]), end - first);
  }
}

/** gates ← silu(Wgate · h) ∘ Wup · h: both give a core the same rows, so that it can finish them and make them ready for the next product. */
function gate(layer: i32, core: i32, cores: i32): void {
  const input = zeroed<Input>();
  normalize(ref(input), feedForwardNorm(layer), core, cores);
  const first = firstRow(HIDDEN_ROW, core, cores);
  const end = firstRow(HIDDEN_ROW, core + 1, cores);
  multiplyGateUp(layer, ref(input), first, end);
  useGates(ref(input));
  for (let t: i32 = 0; t < tokens; t++) {
    const gate = ref(gates[t * HIDDEN_ROW + first]);
    swiglu(gate, ref(gate[HIDDEN_SIZE]), end - first);
    prepare(ref(input), t, tokens, first, min(end, HIDDEN));
  }
}

/** Rows first … end-1 of both. Where they have one type, their tiles take turns in the pack, and are read as one stream. */
function multiplyGateUp(layer: i32, input: Ptr<Input>, first: i32, end: i32): void {
  const type = typeOf(layer, Role.Gate);
  const gate = ref(gates[0]);
  const up = ref(gates[HIDDEN_SIZE]);
  if (type != typeOf(layer, Role.Up)) {
    multiplyRows(gate, HIDDEN_ROW, layer, Role.Gate, input, first, end);
    multiplyRows(up, HIDDEN_ROW, layer, Role.Up, input, first, end);
    return;
  }
  const tile = (first / TILE_ROWS) * 2;
  const count = ((end - first) / TILE_ROWS) * 2;
  const tiles = ref(matrixOf(layer, Role.Gate)[usize(tile) * tileBytes(type, DIM)]);
  multiply(ref(gate[first]), HIDDEN_ROW, tiles, type, count, 2, HIDDEN_SIZE, input, tokens);
}

/** x ← x + Wdown · gates */
function addFeedForward(layer: i32, core: i32, cores: i32): void {
  const input = zeroed<Input>();
  useGates(ref(input));
  addShare(layer, Role.Down, ref(input), core, cores);
}

function logitsJob(core: i32, cores: i32): void {
  const input = zeroed<Input>();
  normalizeOwn(ref(input), asked, outputNorm(), core);
  const first = firstRow(VOCABULARY_ROWS, core, cores);
  const end = firstRow(VOCABULARY_ROWS, core + 1, cores);
  const at = usize(first / TILE_ROWS) * tileBytes(OUTPUT_TYPE, DIM);
  const tiles = ref(packStart()[OUTPUT_OFFSET + at]);
  const count = (end - first) / TILE_ROWS;
  multiply(ref(logits[first]), VOCABULARY_ROWS, tiles, OUTPUT_TYPE, count, 1, 0, ref(input), 1);
}
