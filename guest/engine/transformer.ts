/**
 * The Llama transformer. Touvron et al. 2023: pre-normalized blocks of attention and SwiGLU around a residual stream.
 * Up to BATCH tokens go through a layer together; each result is the same, bit for bit, as if they went one by one.
 *
 *   x ← embedding;  per layer: x ← x + Wo · attention(norm(x));  x ← x + Wdown · (silu(Wgate · h) ∘ Wup · h), h = norm(x);  logits = W · norm(x)
 */

import {
  addQuery,
  addTo,
  attend,
  GROUP,
  multiply,
  prepare,
  type QueryBlock,
  readRow,
  remember,
  rmsNorm,
  rotate,
  swiglu,
  TILE_ROWS,
  turnTo,
} from 'kernels';
import { packStart, parallel } from 'machine';
import {
  BATCH,
  CONTEXT,
  DIM,
  EMBEDDING_OFFSET,
  EMBEDDING_TYPE,
  HEAD_DIM,
  HEADS,
  HIDDEN,
  KV_DIM,
  KV_HEADS,
  LAYERS,
  OUTPUT_OFFSET,
  OUTPUT_TYPE,
  QUERY_DIM,
  VOCABULARY_ROWS,
} from 'model';
import { attentionNorm, feedForwardNorm, matrixOf, outputNorm, Role, typeOf } from './weights.ts';

/** Strides are whole tiles: a matrix writes 16 rows at a time. */
const QUERY_ROW: i32 = ((QUERY_DIM + 15) / 16) * 16;
const KV_ROW: i32 = ((KV_DIM + 15) / 16) * 16;
const HIDDEN_ROW: i32 = ((HIDDEN + 15) / 16) * 16;

const STREAM_SIZE: i32 = BATCH * DIM;
const QUERY_SIZE: i32 = BATCH * QUERY_ROW;
const KV_SIZE: i32 = BATCH * KV_ROW;
const HIDDEN_SIZE: i32 = BATCH * HIDDEN_ROW;

/** @align 64 */
const x = zeroed<FixedArray<f32, typeof STREAM_SIZE>>(); // [BATCH][DIM] the residual stream
/** @align 64 */
const normed = zeroed<FixedArray<f32, typeof STREAM_SIZE>>(); // [BATCH][DIM]
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
const gates = zeroed<FixedArray<f32, typeof HIDDEN_SIZE>>(); // [BATCH][HIDDEN]
/** @align 64 */
const ups = zeroed<FixedArray<f32, typeof HIDDEN_SIZE>>(); // [BATCH][HIDDEN]
/** @align 64 */
const logits = zeroed<FixedArray<f32, typeof VOCABULARY_ROWS>>();

// What the jobs of `parallel` work on: no closures here
let layer: i32 = 0;
let tokens: i32 = 0;
let start: i32 = 0;

/** Runs `count` ≤ BATCH tokens, at positions position …, through all layers: fills the KV cache and the residual stream. */
export function evaluate(ids: Ptr<i32>, count: i32, position: i32): void {
  assert(count >= 1 && count <= BATCH && position + count <= CONTEXT, 'batch outside the context');
  tokens = count;
  start = position;
  for (let t: i32 = 0; t < tokens; t++) {
    readRow(ref(x[t * DIM]), ref(packStart()[EMBEDDING_OFFSET]), EMBEDDING_TYPE, DIM, ids[t]);
    turnTo(t, start + t);
  }
  for (layer = 0; layer < LAYERS; layer++) {
    normalize(attentionNorm(layer));
    parallel(projectJob);
    for (let t: i32 = 0; t < tokens; t++) {
      rotate(ref(queries[t * QUERY_ROW]), HEADS, t);
      rotate(ref(newKeys[t * KV_ROW]), KV_HEADS, t);
      remember(layer, start + t, ref(newKeys[t * KV_ROW]), ref(newValues[t * KV_ROW]));
    }
    parallel(attendJob);
    prepare(ref(attended[0]), QUERY_ROW, QUERY_DIM, tokens);
    parallel(attentionOutputJob);
    addTo(ref(x[0]), ref(change[0]), tokens * DIM);

    normalize(feedForwardNorm(layer));
    parallel(gateJob);
    prepare(ref(gates[0]), HIDDEN_ROW, HIDDEN, tokens);
    parallel(downJob);
    addTo(ref(x[0]), ref(change[0]), tokens * DIM);
  }
}

/** Logits f32[VOCABULARY] that follow the index-th token of the last `evaluate`. They stand until the next call. */
export function logitsOf(index: i32): Ptr<f32> {
  rmsNorm(ref(normed[0]), ref(x[index * DIM]), outputNorm(), DIM);
  prepare(ref(normed[0]), DIM, DIM, 1);
  parallel(logitsJob);
  return ref(logits[0]);
}

/** normed ← rmsNorm(x) · weight for every token, made ready for products. */
function normalize(weight: Ptr<f32>): void {
  for (let t: i32 = 0; t < tokens; t++) rmsNorm(ref(normed[t * DIM]), ref(x[t * DIM]), weight, DIM);
  prepare(ref(normed[0]), DIM, DIM, tokens);
}

/** One core's share of the tiles of a layer's matrix. */
function share(
  out: Ptr<f32>,
  stride: i32,
  role: Role,
  columns: i32,
  input: Ptr<f32>,
  inputStride: i32,
  core: i32,
  cores: i32,
): void {
  const tiles = stride / TILE_ROWS;
  const first = (tiles * core) / cores;
  const end = (tiles * (core + 1)) / cores;
  multiply(
    out,
    stride,
    matrixOf(layer, role),
    typeOf(layer, role),
    columns,
    first,
    end,
    input,
    inputStride,
    tokens,
  );
}

function projectJob(core: i32, cores: i32): void {
  share(ref(queries[0]), QUERY_ROW, Role.Query, DIM, ref(normed[0]), DIM, core, cores);
  share(ref(newKeys[0]), KV_ROW, Role.Key, DIM, ref(normed[0]), DIM, core, cores);
  share(ref(newValues[0]), KV_ROW, Role.Value, DIM, ref(normed[0]), DIM, core, cores);
}

/** A core takes a run of queries, ordered by key/value head, then token, then head, so that neighbours share their keys. */
function attendJob(core: i32, cores: i32): void {
  const block = zeroed<QueryBlock>();
  const perHead = tokens * GROUP;
  const end = (perHead * KV_HEADS * (core + 1)) / cores;
  for (let i = (perHead * KV_HEADS * core) / cores; i < end; i++) {
    const head = i / perHead;
    const token = (i % perHead) / GROUP;
    const at = token * QUERY_ROW + (head * GROUP + (i % GROUP)) * HEAD_DIM;
    const isFull = addQuery(ref(block), ref(attended[at]), ref(queries[at]), start + token);
    const isLast = i + 1 == end || (i + 1) / perHead != head;
    if (isFull || isLast) attend(ref(block), layer, head);
  }
}

function attentionOutputJob(core: i32, cores: i32): void {
  share(
    ref(change[0]),
    DIM,
    Role.AttentionOutput,
    QUERY_DIM,
    ref(attended[0]),
    QUERY_ROW,
    core,
    cores,
  );
}

/** Gate and up give a core the same rows, so that it can finish them: silu(gate) ∘ up. */
function gateJob(core: i32, cores: i32): void {
  share(ref(gates[0]), HIDDEN_ROW, Role.Gate, DIM, ref(normed[0]), DIM, core, cores);
  share(ref(ups[0]), HIDDEN_ROW, Role.Up, DIM, ref(normed[0]), DIM, core, cores);
  const tiles = HIDDEN_ROW / TILE_ROWS;
  const first = ((tiles * core) / cores) * TILE_ROWS;
  const end = ((tiles * (core + 1)) / cores) * TILE_ROWS;
  for (let t: i32 = 0; t < tokens; t++) {
    swiglu(ref(gates[t * HIDDEN_ROW + first]), ref(ups[t * HIDDEN_ROW + first]), end - first);
  }
}

function downJob(core: i32, cores: i32): void {
  share(ref(change[0]), DIM, Role.Down, HIDDEN, ref(gates[0]), HIDDEN_ROW, core, cores);
}

function logitsJob(core: i32, cores: i32): void {
  const tiles = VOCABULARY_ROWS / TILE_ROWS;
  const matrix = ref(packStart()[OUTPUT_OFFSET]);
  const first = (tiles * core) / cores;
  const end = (tiles * (core + 1)) / cores;
  multiply(
    ref(logits[0]),
    VOCABULARY_ROWS,
    matrix,
    OUTPUT_TYPE,
    DIM,
    first,
    end,
    ref(normed[0]),
    DIM,
    1,
  );
}
